"""The policy held to a protected git ref: a branch cannot loosen the gates that it is to pass. Real files, real git."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from promoter.adapters.pipeline_file.load import load
from promoter.adapters.source import GitSource
from promoter.model.errors import Refused
from promoter.model.facts import Kind
from promoter.model.verdict import ReasonCode
from promoter.results import EnvironmentResult
from tests.repository import ENVIRONMENT, Repository, repository
from tests.workshop import Workshop

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
FILE: Mapping[str, object] = {
    "name": "shop",
    "policy": {"ref": "origin/main"},
    "approvers": "signers",
    "revoked_keys": "revoked",
    "roles": {"lead": ["ben@example.com"]},
    "services": {"web": {"image": "registry.example.com/shop/web:1", "steady": "1s"}},
    "environments": {
        "prod": {
            "vars": {"people": 1},
            "gates": [{"approval": {"min": "{{ people }}", "from": ["lead"]}}],
            "rollback": {"skip": ["soak"]},
            "override": {"from": ["lead"], "grade": "asserted"},
        }
    },
}


class Shop(Workshop):
    """The workshop with a real file in a real checkout."""

    repository: Repository

    def write(self, **changes: object) -> None:
        self.repository.write("pipeline.yaml", yaml.safe_dump({**FILE, **changes}))

    def prod(self, **changes: object) -> None:
        environments = FILE["environments"]
        assert isinstance(environments, dict)
        self.write(environments={"prod": {**environments["prod"], **changes}})

    def read(self) -> None:
        """A new process reads the file as it stands."""
        path = self.repository.directory / "pipeline.yaml"
        self.file = load(path, source=self.source.now, environ={}, snapshot=GitSource(ENVIRONMENT).snapshot)

    def ask(self) -> EnvironmentResult:
        self.read()
        return self.door().run(None, None).environments[0]

    def approved(self) -> None:
        self.ask()
        door = self.door("ben@example.com")
        door.vote(door.case("prod", None), "approve", None)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop()
    made.repository = repository(tmp_path)
    made.repository.write("signers", f"ben@example.com {KEY}\n")
    made.repository.write("revoked", "")
    made.write()
    made.repository.merge()
    return made


def assert_refused(result: EnvironmentResult, *words: str) -> None:
    assert (str(result.status), result.code) == ("refused", ReasonCode.POLICY_CHANGED)
    assert all(word in " ".join(result.reasons) for word in words), result.reasons


def test_the_same_policy_goes_on_to_its_gates_and_is_recorded_with_its_commit(shop: Shop) -> None:
    shop.approved()
    assert shop.ask().status == "deployed"
    started = next(fact for fact in shop.ledger.read() if fact.kind is Kind.STARTED)
    commit = shop.repository.git("rev-parse", "origin/main")
    assert started.body["policy"] == {"ref": "origin/main", "held_to": [{"ref": "origin/main", "commit": commit}]}


def test_what_runs_may_differ(shop: Shop) -> None:
    shop.write(services={"web": {"image": "registry.example.com/shop/web:1", "steady": "1s", "environment": {"A": "1"}}})
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"gates": []}, "- gates.1.approval.min: 1"),
        ({"vars": {"people": 0}, "gates": [{"approval": {"min": 1}}]}, "gates.1.approval.from"),
        ({"rollback": {"skip": ["soak", "approval"]}}, "rollback.skip"),
        ({"override": {"from": ["eve@example.com"], "grade": "asserted"}}, "override.from"),
    ],
)
def test_a_branch_that_changes_what_decides_in_an_environment_is_refused(shop: Shop, changed: object, said: str) -> None:
    assert isinstance(changed, dict)
    shop.prod(**changed)
    assert_refused(shop.ask(), said, "at origin/main", "merge the change into origin/main")


def test_so_is_one_that_changes_roles_or_lifts_the_pin_to_another_ref(shop: Shop) -> None:
    shop.write(roles={"lead": ["ben@example.com", "eve@example.com"]})
    assert_refused(shop.ask(), "roles.lead: ben@example.com -> ben@example.com eve@example.com")
    shop.write(policy={"ref": "work"})
    assert shop.ask().code == ReasonCode.POLICY_CHANGED


@pytest.mark.parametrize("name", ["signers", "revoked"])
def test_so_is_one_that_changes_who_may_sign(shop: Shop, name: str) -> None:
    shop.repository.write(name, f"eve@example.com {KEY}\n" if name == "signers" else KEY + "\n")
    assert shop.ask().code == ReasonCode.POLICY_CHANGED


def test_giving_back_a_revoked_key_is_refused(shop: Shop) -> None:
    shop.repository.write("revoked", KEY + "\n")
    shop.repository.merge()
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING
    shop.repository.write("revoked", "")
    assert_refused(shop.ask(), "revoked_keys")


def test_taking_the_key_out_does_not_lift_the_pin_until_the_ref_itself_has(shop: Shop) -> None:
    shop.ask()
    without = {key: value for key, value in FILE.items() if key != "policy"}
    shop.repository.write("pipeline.yaml", yaml.safe_dump(without))
    assert_refused(shop.ask(), "- ref: origin/main")
    shop.repository.merge()
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING
    shop.prod(gates=[])
    text = yaml.safe_load((shop.repository.directory / "pipeline.yaml").read_text())
    shop.repository.write("pipeline.yaml", yaml.safe_dump({key: value for key, value in text.items() if key != "policy"}))
    assert shop.ask().status == "deployed"


def test_the_ref_may_move_on_to_another_when_both_agree(shop: Shop) -> None:
    shop.ask()
    shop.write(policy={"ref": "origin/release"})
    shop.repository.merge()
    assert_refused(shop.ask(), "git fetch origin release")
    shop.repository.git("push", "-q", "origin", "HEAD:release")
    shop.repository.git("fetch", "-q", "origin")
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING
    assert shop.door().journal.state.policy_ref == "origin/release"


def test_the_settings_hold_a_file_that_names_no_ref(shop: Shop) -> None:
    without = {key: value for key, value in FILE.items() if key != "policy"}
    shop.repository.write("pipeline.yaml", yaml.safe_dump(without))
    shop.repository.merge()
    shop.policy_ref = "origin/main"
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING
    shop.repository.write("pipeline.yaml", yaml.safe_dump({**without, "roles": {"lead": ["eve@example.com"]}}))
    assert_refused(shop.ask(), "roles.lead")


def test_a_ref_that_is_not_here_refuses_and_says_what_to_fetch(shop: Shop) -> None:
    shop.write(policy={"ref": "origin/protected"})
    assert_refused(shop.ask(), "which this checkout does not have", "git fetch origin protected")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pipeline.yaml", None, "origin/main has no pipeline.yaml"),
        ("pipeline.yaml", "name: [", "the policy at origin/main cannot be read: origin/main:pipeline.yaml:1"),
        ("pipeline.yaml", yaml.safe_dump({**FILE, "environments": {"dev": {}}}), "no environment prod at origin/main"),
        ("signers", None, "signers cannot be read"),
    ],
)
def test_a_policy_that_cannot_be_read_there_refuses(shop: Shop, name: str, text: str | None, said: str) -> None:
    here = (shop.repository.directory / name).read_text()
    (shop.repository.directory / name).unlink()
    if text is not None:
        shop.repository.write(name, text)
    shop.repository.merge()
    shop.repository.write(name, here)
    assert_refused(shop.ask(), said)


def test_from_a_weakened_checkout_nobody_approves_or_overrides_and_anybody_rejects(shop: Shop) -> None:
    shop.ask()
    shop.write(roles={"lead": ["ben@example.com", "eve@example.com"]})
    shop.read()
    door = shop.door("eve@example.com")
    case = door.case("prod", None)
    assert next((one.kind, str(one.verdict.outcome)) for one in case.gates) == ("policy", "refused")
    for attempt in (lambda: door.vote(case, "approve", None), lambda: door.override(case, "now")):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.reason_code == ReasonCode.POLICY_CHANGED
    door.vote(case, "reject", "no")
    assert "rejected" in shop.kinds("prod")


def test_an_override_does_not_pass_it(shop: Shop) -> None:
    shop.ask()
    door = shop.door("ben@example.com")
    door.override(door.case("prod", None), "down")
    shop.repository.write("signers", f"ben@example.com {KEY}\neve@example.com {KEY}\n")
    assert shop.ask().code == ReasonCode.POLICY_CHANGED


def test_a_rollback_is_held_to_it_too(shop: Shop) -> None:
    shop.approved()
    shop.ask()
    shop.newer("two")
    shop.approved()
    assert shop.ask().status == "deployed"
    shop.prod(rollback={"skip": ["soak", "approval"]})
    shop.read()
    assert_refused(shop.door().rollback("prod", None, None).environments[0], "rollback.skip")
    shop.prod()
    shop.read()
    assert shop.door().rollback("prod", None, None).environments[0].status == "pending"
