"""The policy is compared with a protected git ref: a branch cannot loosen its own gates. Real files, real git."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from promoter.adapters.git.source import GitSource
from promoter.adapters.ledgers.trusted_head import FileWitness
from promoter.gates.override import Rollback
from promoter.gates.scan import ScanCheck
from promoter.ledger.chain import Kind, LedgerHead, head_of, read_line
from promoter.model.canonical_json import canonical, fingerprint, sha256_hex
from promoter.model.errors import Refused
from promoter.model.verdict import ReasonCode
from promoter.pipeline.loader import load
from promoter.pipeline.model import Rules
from promoter.pipeline.policy import policy_of, protected_policy
from promoter.promotion.results import EnvironmentResult
from promoter.ui.reports.approval_request import case as as_text
from promoter.ui.reports.view import View
from tests.documents import value_at
from tests.fakes.ledger import MemoryLedger
from tests.harness import Harness
from tests.repository import ENVIRONMENT, Repository, repository

pytestmark = pytest.mark.process

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


class Shop(Harness):
    """The harness with a real file in a real checkout."""

    repository: Repository

    def write(self, **changes: object) -> None:
        self.repository.write("pipeline.yaml", yaml.safe_dump({**FILE, **changes}, sort_keys=False))

    def prod(self, **changes: object) -> None:
        environments = FILE["environments"]
        assert isinstance(environments, dict)
        self.write(environments={"prod": {**environments["prod"], **changes}})

    def read(self) -> None:
        """Read the current file, as a new process does."""
        path = self.repository.directory / "pipeline.yaml"
        git = GitSource(ENVIRONMENT)
        self.file = load(path, source=self.source.now, environ={}, snapshot=git.snapshot, files=git.files)

    def ask(self) -> EnvironmentResult:
        self.read()
        return self.api().run(None, None).environments[0]

    def approved(self) -> None:
        self.ask()
        api = self.api("ben@example.com")
        api.vote(api.case("prod", None), "approve", None)


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
    started = next(fact for fact in shop.store.read() if fact.kind is Kind.STARTED)
    commit = shop.repository.git("rev-parse", "origin/main")
    assert started.body["policy"] == {"ref": "origin/main", "held_to": [{"ref": "origin/main", "commit": commit}]}


def test_what_runs_may_differ(shop: Shop) -> None:
    shop.write(services={"web": {"image": "registry.example.com/shop/web:1", "steady": "1s", "environment": {"A": "1"}}})
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gates": []}, "- gates.1.approval.min: 1"),
        ({"vars": {"people": 0}, "gates": [{"approval": {"min": 1}}]}, "gates.1.approval.from"),
        ({"rollback": {"skip": ["soak", "approval"]}}, "rollback.skip"),
        ({"override": {"from": ["eve@example.com"], "grade": "asserted"}}, "override.from"),
    ],
)
def test_a_branch_that_changes_what_decides_in_an_environment_is_refused(shop: Shop, changed: object, message: str) -> None:
    assert isinstance(changed, dict)
    shop.prod(**changed)
    assert_refused(shop.ask(), message, "differs from origin/main", "merge the change into origin/main")


def test_so_is_one_that_changes_roles_or_lifts_the_pin_to_another_ref(shop: Shop) -> None:
    shop.write(roles={"lead": ["ben@example.com", "eve@example.com"]})
    assert_refused(shop.ask(), 'roles.lead: ["ben@example.com"] -> ["ben@example.com", "eve@example.com"]')
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
    assert_refused(shop.ask(), "~ ref: origin/main -> null")
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
    assert shop.api().context.ledger.state.policy_ref == "origin/release"


def test_the_settings_hold_a_file_that_names_no_ref(shop: Shop) -> None:
    without = {key: value for key, value in FILE.items() if key != "policy"}
    shop.repository.write("pipeline.yaml", yaml.safe_dump(without))
    shop.repository.merge()
    shop.policy_ref = "origin/main"
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING
    shop.repository.write("pipeline.yaml", yaml.safe_dump({**without, "roles": {"lead": ["eve@example.com"]}}))
    assert_refused(shop.ask(), "roles.lead")


def test_a_missing_ref_is_refused_with_the_fetch_command(shop: Shop) -> None:
    shop.write(policy={"ref": "origin/protected"})
    assert_refused(shop.ask(), "which this checkout does not have", "git fetch origin protected")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("pipeline.yaml", None, "origin/main has no pipeline.yaml"),
        ("pipeline.yaml", "name: [", "the policy at origin/main cannot be read: origin/main:pipeline.yaml:1"),
        ("pipeline.yaml", yaml.safe_dump({**FILE, "environments": {"dev": {}}}), "no environment prod at origin/main"),
        ("signers", None, "cannot read signers"),
    ],
)
def test_a_policy_that_cannot_be_read_there_refuses(shop: Shop, name: str, text: str | None, message: str) -> None:
    checkout = (shop.repository.directory / name).read_text()
    (shop.repository.directory / name).unlink()
    if text is not None:
        shop.repository.write(name, text)
    shop.repository.merge()
    shop.repository.write(name, checkout)
    assert_refused(shop.ask(), message)


def test_a_checkout_with_a_weaker_policy_can_reject_but_not_approve_or_override(shop: Shop) -> None:
    shop.ask()
    shop.write(roles={"lead": ["ben@example.com", "eve@example.com"]})
    shop.read()
    api = shop.api("eve@example.com")
    case = api.case("prod", None)
    assert next((one.kind, str(one.verdict.outcome)) for one in case.gates) == ("policy", "refused")
    for attempt in (lambda: api.vote(case, "approve", None), lambda: api.override(case, "now")):
        with pytest.raises(Refused) as caught:
            attempt()
        assert caught.value.reason_code == ReasonCode.POLICY_CHANGED
    api.vote(case, "reject", "no")
    assert "rejected" in shop.kinds("prod")


def test_an_override_does_not_pass_it(shop: Shop) -> None:
    shop.ask()
    api = shop.api("ben@example.com")
    api.override(api.case("prod", None), "down")
    shop.repository.write("signers", f"ben@example.com {KEY}\neve@example.com {KEY}\n")
    assert shop.ask().code == ReasonCode.POLICY_CHANGED


def test_a_rollback_is_compared_with_it_too(shop: Shop) -> None:
    shop.approved()
    shop.ask()
    shop.newer("two")
    shop.approved()
    assert shop.ask().status == "deployed"
    shop.prod(rollback={"skip": ["soak", "approval"]})
    shop.read()
    assert_refused(shop.api().rollback("prod", None, None).environments[0], "rollback.skip")
    shop.prod()
    shop.read()
    assert shop.api().rollback("prod", None, None).environments[0].status == "pending"


# ---------------------------------------------------------------- attacks
def test_break_1_signers_through_a_symbolic_link_of_the_branch(shop: Shop, tmp_path: Path) -> None:
    shop.repository.write("keys/signers", f"ben@example.com {KEY}\n")
    shop.write(approvers="keys/signers")
    shop.repository.merge()
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "signers").write_text(f"ben@example.com {KEY.replace('A' * 43, 'B' * 43)}\n")
    shop.repository.git("rm", "-rq", "keys")
    (shop.repository.directory / "keys").symlink_to(outside)
    assert_refused(shop.ask(), "signers.1.key", "differs from origin/main")


@pytest.mark.parametrize("name", ["../outside", "OUTSIDE"])
@pytest.mark.parametrize("key", ["approvers", "revoked_keys"])
def test_break_1_what_is_outside_of_the_repository_cannot_be_held(shop: Shop, tmp_path: Path, name: str, key: str) -> None:
    (tmp_path / "outside").write_text(f"ben@example.com {KEY}\n" if key == "approvers" else "")
    shop.write(**{key: name.replace("OUTSIDE", str(tmp_path / "outside"))})
    shop.repository.merge()
    assert_refused(shop.ask(), "cannot be read", "outside of the repository")


def test_break_4_a_rollback_that_may_skip_nothing_is_not_one_that_may_skip_all(shop: Shop) -> None:
    shop.prod(rollback={"skip": []})
    shop.repository.merge()
    shop.prod(rollback={})
    assert_refused(shop.ask(), "~ rollback.skip: [] -> null")


def test_break_4_words_of_a_command_are_not_one_word(shop: Shop) -> None:
    shop.prod(gates=[{"command": {"run": ["curl", "-fsS", "http://127.0.0.1:1/ok"]}}])
    shop.repository.merge()
    shop.prod(gates=[{"command": {"run": ["curl -fsS http://127.0.0.1:1/ok"]}}])
    assert_refused(shop.ask(), 'gates.1.command.run: ["curl", "-fsS", "http://127.0.0.1:1/ok"] -> ["curl -fsS')


def with_test(**prod: object) -> dict[str, object]:
    return {"dev": {}, "test": {}, "prod": {"gates": [{"approval": {"min": 1}}], **prod}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environments": with_test(needs=[])}, "needs.prod"),
        ({"environments": {**with_test(), "test": {"needs": []}}}, "needs.test"),
        ({"environments": {"test": {}, "dev": {}, "prod": with_test()["prod"]}}, "environments"),
        ({"environments": {**with_test(), "after": {}}}, "environments"),
        ({"ledger": "sqlite:.promoter/mine.db"}, "ledger"),
        ({"name": "other"}, "name"),
    ],
)
def test_break_5_what_comes_before_an_environment_is_held_too(shop: Shop, changes: dict[str, object], message: str) -> None:
    shop.write(environments=with_test())
    shop.repository.merge()
    shop.write(**{"environments": with_test(), **changes})
    shop.read()
    result = shop.api().run(None, None)
    refused = [one for one in result.environments if one.code == ReasonCode.POLICY_CHANGED]
    assert f"~ {message}: " in " ".join(refused[0].reasons), [one.reasons for one in result.environments]


@pytest.mark.parametrize("run", [["./gate.sh"], ["sh", "gate.sh"], ["sh", "-c", "./gate.sh --fast"], ["tool", "--hook=gate.sh"]])
def test_break_14_the_program_of_a_gate_is_held(shop: Shop, run: list[str]) -> None:
    shop.repository.write("gate.sh", "exit 1\n")
    shop.prod(gates=[{"command": {"run": run}}])
    shop.repository.merge()
    assert shop.ask().code == ReasonCode.CHECK_FAILED
    shop.repository.write("gate.sh", "exit 0\n")
    assert_refused(shop.ask(), "files.", "gate.sh")


def test_break_14_also_when_it_leads_outside_or_is_not_tracked_any_more(shop: Shop, tmp_path: Path) -> None:
    shop.repository.write("gate.sh", "exit 0\n")
    shop.prod(gates=[{"command": {"run": ["./gate.sh"]}}])
    shop.repository.merge()
    gate = shop.repository.directory / "gate.sh"
    gate.unlink()
    (tmp_path / "gate.sh").write_text("exit 0\n")
    gate.symlink_to(tmp_path / "gate.sh")
    assert_refused(shop.ask(), "outside of the repository")
    gate.unlink()
    shop.repository.git("rm", "-q", "--cached", "gate.sh")
    shop.repository.write("gate.sh", "exit 0\n")
    assert_refused(shop.ask(), '"./gate.sh"')


def test_what_gives_the_secrets_of_gates_is_held(shop: Shop) -> None:
    gates = [{"http": {"url": "http://127.0.0.1:1/{{ secret('ASK') }}"}}]
    shop.write(secrets={"ASK": {"env": "ASK"}}, environments={"prod": {"gates": gates}})
    shop.repository.merge()
    shop.write(secrets={"ASK": {"command": ["echo", "http://127.0.0.1:1/"]}}, environments={"prod": {"gates": gates}})
    shop.read()
    environment = shop.file.resolve("prod", shop.source.now, "0" * 64)
    there = shop.file.policy_at("origin/main", "prod", shop.source.now, "0" * 64).policy
    assert there["secrets"] == {"ASK": {"env": "ASK"}}
    assert protected_policy(shop.file.pipeline, environment)["secrets"] == {"ASK": {"command": ["echo", "http://127.0.0.1:1/"]}}


def test_break_6_she_does_not_sign_rules_that_she_is_not_shown(shop: Shop) -> None:
    """The branch asks with `min: 1`; she looks from a checkout of main, where it is `min: 2`."""
    two = {"gates": [{"approval": {"min": 2, "from": ["ben@example.com", "eve@example.com"]}}]}
    without = {key: value for key, value in FILE.items() if key != "policy"}

    def write(gates: object) -> None:
        shop.repository.write("pipeline.yaml", yaml.safe_dump({**without, "environments": {"prod": gates}}))

    write({"gates": [{"approval": {**two["gates"][0]["approval"], "min": 1}}]})
    shop.ask()
    asked = next(fact for fact in shop.store.read() if fact.kind is Kind.REQUESTED)
    assert fingerprint(asked.body["rules"]) == asked.body["policy_digest"]
    write(two)
    shop.read()
    api = shop.api("ben@example.com")
    case = api.case("prod", None)
    assert "~ gates.1.approval.min: 2 -> 1 (here -> in the request)" in as_text(case, View(case.requested_at), brief=True)
    with pytest.raises(Refused, match=r"gates\.1\.approval\.min: 2 -> 1") as caught:
        api.vote(case, "approve", None)
    assert (caught.value.reason_code, caught.value.exit_code) == (ReasonCode.POLICY_CHANGED, 4)
    assert "approved" not in shop.kinds("prod")
    api.vote(case, "reject", "not under these rules")
    assert shop.ask().code == ReasonCode.REJECTED


def test_a_request_of_an_earlier_version_is_asked_again_before_anyone_approves(shop: Shop) -> None:
    shop.ask()
    facts = [fact.document() for fact in shop.store.read()]
    shop.store.kept.clear()
    head = LedgerHead()
    for fact in facts:
        older = {"policy_digest": "sha256:" + "0" * 64} if fact["kind"] == "requested" else {}
        line = canonical({**{key: value for key, value in fact.items() if key != "rules"}, **older, "prev": head.digest})
        head = head_of(read_line(line))
        shop.store.kept.append(line)
    api = shop.api("ben@example.com")
    with pytest.raises(Refused, match=r"an earlier version of promoter recorded it.*promoter promote") as caught:
        api.vote(api.case("prod", None), "approve", None)
    assert caught.value.reason_code == ReasonCode.POLICY_CHANGED
    shop.approved()
    assert shop.ask().status == "deployed"


def test_long_texts_of_a_policy_are_kept_as_digests_that_no_text_can_imitate() -> None:
    pipeline = Harness().pipeline
    rules = [
        Rules("prod", (ScanCheck.model_validate({"scanner": "trivy", "ignore": text}),), Rollback(), None)
        for text in ("x" * 1001, "x" * 1002)
    ]
    long, longer = (policy_of(pipeline, one) for one in rules)
    assert long != longer
    kept = value_at(long, "gates", 0, "scan", "ignore")
    assert kept == {"sha256": sha256_hex(b"x" * 1001), "characters": 1001}


def test_break_5_the_ref_is_remembered_when_the_branch_names_another_ledger_and_no_ref(shop: Shop, tmp_path: Path) -> None:
    shop.witness = lambda: FileWitness(tmp_path / "room", shop.store.location)
    shop.ask()
    without = {key: value for key, value in FILE.items() if key != "policy"}
    open_gates = {**without, "ledger": "sqlite:.promoter/mine.db", "environments": {"prod": {}}}
    shop.repository.write("pipeline.yaml", yaml.safe_dump(open_gates))
    ours, shop.store = shop.store, MemoryLedger()
    shop.store.location = "mine"
    assert_refused(shop.ask(), "~ ledger: null -> sqlite:.promoter/mine.db")
    shop.store = ours
    shop.repository.write("pipeline.yaml", yaml.safe_dump(without))
    shop.repository.merge()
    assert shop.ask().code == ReasonCode.APPROVALS_MISSING
    assert FileWitness(tmp_path / "room", ours.location).policy_ref() is None, "the ledger that named it has dropped it"
