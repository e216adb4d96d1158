"""Signed approvals, with real keys and the real ssh-keygen: which ones count, and every reason why one does not."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from promoter.adapters.ssh.signer import SshKeygen
from promoter.gates.approval.votes import checked
from promoter.ledger.chain import FactDraft, Kind, head_of, read_line
from promoter.model.errors import CallerError, LedgerError, Refused, SigningError, StartError
from promoter.model.statement import Envelope, Statement, read_statement
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Flaw, Vote
from promoter.usecases import sign as sign_module
from promoter.usecases.sign import VoteDraft, VoteSubject
from tests.harness import statuses
from tests.signed_office import ANA, BEN, SIGNED, Office, make_keys, open_office, public

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make one private key for each person with the real ssh-keygen."""
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def office(keys: dict[str, Path], tmp_path: Path) -> Office:
    """Prod waits for one signed approval."""
    return open_office(keys, tmp_path)


def sign(text: str, key: Path, namespace: str = "promoter-approval") -> str:
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace]
    return subprocess.run(command, input=text.encode(), capture_output=True, check=True).stdout.decode()


def recast(office: Office, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the last vote as a person with write access to the ledger can do: the same position in the chain, another body."""
    fact = read_line(office.store.kept.pop())
    body: dict[str, Any] = dict(fact.body)
    body["envelope"] = dict(body["envelope"])
    change(body)
    head = head_of(read_line(office.store.kept[-1]))
    office.store.append(FactDraft(fact.kind, fact.actor, fact.environment, fact.release, body), head, fact.at)


# ---------------------------------------------------------------- before the case is shown
@pytest.mark.parametrize("private_only", [False, True], ids=["with .pub", "without .pub"])
def test_a_key_that_would_not_count_is_refused_before_anything_is_signed(
    office: Office, keys: dict[str, Path], tmp_path: Path, private_only: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_bytes(keys["stranger"].read_bytes())
    if not private_only:
        Path(f"{key}.pub").write_bytes(Path(f"{keys['stranger']}.pub").read_bytes())
    monkeypatch.setattr(SshKeygen, "sign", lambda *_: pytest.fail("it was asked to sign"))
    api = office.api()
    case = api.case("prod", None)
    if private_only:
        api.check_approval(case, str(key))  # only ssh-keygen can check it, and it may ask for a passphrase
        return
    with pytest.raises(Refused, match="is not in the allowed_signers file") as caught:
        api.check_approval(case, str(key))
    assert caught.value.reason_code is ReasonCode.SIGNER_UNKNOWN


def test_the_key_of_another_person_and_a_missing_one_are_refused_first(office: Office, keys: dict[str, Path]) -> None:
    api = office.api(ANA)
    case = api.case("prod", None)
    with pytest.raises(Refused, match=f"belongs to {BEN}, not to {ANA}"):
        api.check_approval(case, f"{keys[BEN]}.pub")
    with pytest.raises(SigningError, match="there is no key"):
        api.check_approval(case, "/absent")
    api.check_approval(case, str(keys[ANA]))


# ---------------------------------------------------------------- which ones count
def test_a_signed_approval_opens_the_gate_and_is_used_up(office, keys):
    fact = office.vote(keys[ANA])
    assert fact.body["grade"] == "signed"
    assert statuses(office.promote())["prod"] == "deployed"
    started = [f for f in office.store.read() if f.kind == "started"][-1]
    assert started.body["approvals"] == [fact.digest]


def test_a_third_party_checks_the_vote_with_ssh_keygen_alone(office, keys, tmp_path):
    envelope = office.vote(keys[ANA], comment="seen on test").document()["envelope"]
    (tmp_path / "signers").write_text(office.allowed)
    (tmp_path / "sig").write_text(envelope["signature"])
    command = ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", ANA, "-n", "promoter-approval", "-s", "sig"]
    done = subprocess.run(command, input=envelope["statement"].encode(), cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    output = read_statement(envelope["statement"])
    assert output.comment == "seen on test"
    assert output.subject[0][1] == str(office.images["web"].digest).removeprefix("sha256:")


def test_the_statement_names_everything_that_it_binds(office, keys):
    fact = office.vote(keys[ANA])
    output = read_statement(fact.document()["envelope"]["statement"])
    request = [f for f in office.store.read() if f.kind == "requested" and f.environment == "prod"][-1]
    assert (output.pipeline, output.environment, output.release) == ("shop", "prod", office.release().id)
    assert output.plan_digest == request.body["plan_digest"]
    assert output.policy_digest == request.body["policy_digest"]
    assert (output.requested_by, output.principal, output.from_release) == ("ci@example.com", ANA, None)
    assert (output.ledger_head, output.ledger_seq) == (fact.prev, fact.seq - 1)


def test_an_asserted_approval_does_not_open_a_gate_for_signed_ones(office):
    api = office.api(ANA)
    with pytest.raises(CallerError, match="only signed votes count"):
        api.vote(api.case("prod", None), "approve", None)


def test_git_s_own_key_serves_when_none_is_named(office, keys):
    api = office.api(ANA)
    api.context.git_key = lambda: str(keys[ANA])
    assert "envelope" in api.vote(api.case("prod", None), "approve", None).body


def test_a_vote_that_comes_second_is_signed_again_over_what_came_first(office, keys):
    api, other = office.api(ANA), office.api(BEN)
    case = api.case("prod", None)
    other.pin("dev", "meanwhile")
    fact = api.vote(case, "approve", None, str(keys[ANA]))
    assert read_statement(fact.document()["envelope"]["statement"]).ledger_head == fact.prev
    assert statuses(office.promote())["prod"] == "deployed"


# ---------------------------------------------------------------- refused before it is recorded
def test_an_unknown_key_is_refused_at_once(office, keys):
    with pytest.raises(Refused) as refused:
        office.vote(keys["stranger"])
    assert refused.value.reason_code is ReasonCode.SIGNER_UNKNOWN
    assert "approved" not in office.kinds()


def test_the_key_of_another_person_is_refused_at_once(office, keys):
    with pytest.raises(Refused):
        office.vote(keys[BEN], actor=ANA)


def test_a_key_that_is_not_there_gets_a_sentence(office, tmp_path):
    with pytest.raises(SigningError, match="there is no key"):
        office.vote(tmp_path / "nothing")


def test_a_key_whose_passphrase_is_not_entered_raises_an_error(office, tmp_path):
    key = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret phrase", "-f", key], check=True)
    with pytest.raises(SigningError, match="could not sign"):
        office.vote(key)


# ---------------------------------------------------------------- the table of attacks
FORGED = {
    "another environment": ({"environment": "test"}, ReasonCode.APPROVAL_WRONG_ENVIRONMENT, "signed for environment test"),
    "another pipeline": ({"pipeline": "other"}, ReasonCode.APPROVAL_WRONG_ENVIRONMENT, "signed for pipeline other"),
    "another release": ({"release": "f" * 64}, ReasonCode.APPROVAL_WRONG_ENVIRONMENT, "signed for release ffffffffffff"),
    "other images": (
        {"subject": (("registry.example.com/shop/web", "0" * 64),)},
        ReasonCode.APPROVAL_WRONG_ENVIRONMENT,
        "other image",
    ),
    "another plan": ({"plan_digest": "sha256:" + "1" * 64}, ReasonCode.APPROVAL_STALE, "signed for another plan"),
    "another release runs there": (
        {"from_release": "e" * 64},
        ReasonCode.APPROVAL_STALE,
        "another release ran in the environment",
    ),
    "another policy": ({"policy_digest": "sha256:" + "2" * 64}, ReasonCode.POLICY_CHANGED, "signed under other rules"),
    "a reject passed off as an approval": ({"decision": "reject"}, ReasonCode.SIGNATURE_INVALID, "reject was signed"),
    "a review passed off as an approval": ({"reviews": "sha256:" + "3" * 64}, ReasonCode.SIGNATURE_INVALID, "another override"),
    "another history": ({"ledger_head": "sha256:" + "4" * 64}, ReasonCode.APPROVAL_STALE, "another history of this ledger"),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_true_signature_over_something_else_opens_nothing(office, keys, case):
    changes, code, sentence = FORGED[case]
    office.vote(keys[ANA])

    def change(body: dict[str, Any]) -> None:
        statement: Statement = replace(read_statement(body["envelope"]["statement"]), **changes)
        body["envelope"] = {"statement": statement.text(), "signature": sign(statement.text(), keys[ANA])}

    recast(office, change)
    status, found, output = office.prod()
    assert (status, found) == ("refused", code)
    assert sentence in output


def _edit(old: str, new: str) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        assert old in body["envelope"]["statement"]
        body["envelope"]["statement"] = body["envelope"]["statement"].replace(old, new)

    return change


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], None], ReasonCode]] = {
    "other bytes": (_edit('"comment":""', '"comment":"x"'), ReasonCode.SIGNATURE_INVALID),
    "not JSON": (lambda b: b["envelope"].update(statement="{"), ReasonCode.SIGNATURE_INVALID),
    "not canonical": (_edit('"comment":""', '"comment": ""'), ReasonCode.SIGNATURE_INVALID),
    "megabytes of statement": (lambda b: b["envelope"].update(statement="[" * 3_000_000), ReasonCode.SIGNATURE_INVALID),
    "megabytes of signature": (lambda b: b["envelope"].update(signature="A" * 3_000_000), ReasonCode.SIGNATURE_INVALID),
    "no armor": (lambda b: b["envelope"].update(signature="nothing"), ReasonCode.SIGNATURE_INVALID),
    "no envelope": (lambda b: b.pop("envelope"), ReasonCode.SIGNATURE_INVALID),
    "another principal in the fact": (lambda b: b.update(principal=BEN), ReasonCode.SIGNATURE_INVALID),
    "asserted as well": (lambda b: (b.pop("envelope"), b.update(grade="asserted")), ReasonCode.APPROVALS_MISSING),
    "an unheard-of grade": (lambda b: (b.pop("envelope"), b.update(grade="royal")), ReasonCode.APPROVALS_MISSING),
}


def test_a_signed_vote_counts_as_signed_despite_the_grade_in_the_fact(office, keys):
    office.vote(keys[ANA])
    recast(office, lambda body: body.update(grade="asserted"))
    assert office.prod()[:2] == ("deployed", ReasonCode.OK)


def test_without_known_signers_no_signature_counts(office, keys):
    fact = office.vote(keys[ANA])
    body, head = fact.document(), "sha256:" + "0" * 64
    vote = Vote(
        "approve",
        ANA,
        None,
        "signed",
        "prod",
        office.release().id,
        "p",
        None,
        "q",
        fact.at,
        None,
        "",
        9,
        head,
        envelope=Envelope(**body["envelope"]),
    )
    (found,) = checked([vote], "shop", office.release(), None, fact.at)
    assert found == replace(vote, flaw=Flaw(ReasonCode.SIGNER_UNKNOWN, "the pipeline names no `approvers`, so no keys are known"))
    (bare,) = checked([replace(vote, envelope=None)], "shop", office.release(), None, fact.at)
    assert bare.flaw == Flaw(ReasonCode.SIGNATURE_INVALID, "it is marked as signed, but has no signature")
    (asserted,) = checked([replace(vote, envelope=None, grade="asserted")], "shop", office.release(), None, fact.at)
    assert asserted.flaw is None
    trust = office.pipeline.trust
    (forged,) = checked(
        [replace(vote, principal=BEN, envelope=Envelope(body["envelope"]["statement"], "x"))],
        "shop",
        office.release(),
        trust,
        fact.at,
    )
    assert forged.flaw == Flaw(
        ReasonCode.SIGNATURE_INVALID, "cannot read its signature: expected text between BEGIN and END SSH SIGNATURE"
    )


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_envelope_opens_nothing(office, keys, case):
    change, code = BROKEN[case]
    office.vote(keys[ANA])
    recast(office, change)
    status, found, _ = office.prod()
    assert found is code
    assert status == ("pending" if code is ReasonCode.APPROVALS_MISSING else "refused")


def test_a_signature_for_git_is_no_approval(office, keys):
    office.vote(keys[ANA])

    def change(body: dict[str, Any]) -> None:
        body["envelope"]["signature"] = sign(body["envelope"]["statement"], keys[ANA], "git")

    recast(office, change)
    assert office.prod()[:2] == ("refused", ReasonCode.SIGNATURE_INVALID)


def test_a_key_revoked_since_no_longer_counts(office, keys):
    office.vote(keys[ANA])
    office.revoked = f"{public(keys[ANA])}\n".encode()
    assert office.prod()[:2] == ("refused", ReasonCode.KEY_REVOKED)


def test_a_signer_struck_off_since_no_longer_counts(office, keys):
    office.vote(keys[ANA])
    office.allowed = "".join(line for line in office.allowed.splitlines(keepends=True) if not line.startswith(ANA))
    assert office.prod()[0] == "refused"


def test_a_key_that_runs_out_before_the_promotion_no_longer_counts(office, keys):
    ends = office.clock.now() + timedelta(hours=1)
    line = f'{ANA} valid-before="{ends:%Y%m%d%H%M%S}Z" {public(keys[ANA])}\n'
    office.allowed = line
    office.prod()
    office.vote(keys[ANA])
    office.clock.advance(timedelta(hours=2))
    assert office.prod()[:2] == ("refused", ReasonCode.SIGNER_UNKNOWN)


def test_an_approval_expires(office, keys):
    office.gates["prod"] = (SIGNED.model_copy(update={"expires": timedelta(hours=1)}),)
    office.prod()
    office.vote(keys[ANA])
    office.clock.advance(timedelta(hours=1))
    assert office.prod()[:2] == ("pending", ReasonCode.APPROVAL_EXPIRED)


def test_the_expiry_in_the_fact_does_not_extend_the_signed_expiry(office, keys):
    office.vote(keys[ANA])
    ends = office.clock.now() + timedelta(hours=1)

    def change(body: dict[str, Any]) -> None:
        text = replace(read_statement(body["envelope"]["statement"]), expires_at=ends).text()
        body.update(expires_at=None, envelope={"statement": text, "signature": sign(text, keys[ANA])})

    recast(office, change)
    office.clock.advance(timedelta(hours=2))
    assert office.prod()[:2] == ("pending", ReasonCode.APPROVAL_EXPIRED)


def test_one_person_with_two_keys_is_one_person(office, keys):
    office.gates["prod"] = (SIGNED.model_copy(update={"min": 2}),)
    office.allowed += f"{ANA} {public(keys['stranger'])}\n"
    office.prod()
    office.vote(keys[ANA])
    office.vote(keys["stranger"], actor=ANA)
    status, code, output = office.prod()
    assert (status, code) == ("pending", ReasonCode.APPROVALS_MISSING)
    assert "1 of 2" in output


def test_two_people_with_one_key_are_one(office, keys):
    office.gates["prod"] = (SIGNED.model_copy(update={"min": 2}),)
    office.allowed += f"{BEN} {public(keys[ANA])}\n"
    office.prod()
    office.vote(keys[ANA])
    office.vote(keys[ANA], actor=BEN)
    status, code, output = office.prod()
    assert (status, code) == ("pending", ReasonCode.APPROVALS_MISSING)
    assert f"the same key as that by {ANA}" in output


def test_two_people_with_two_keys_are_two(office, keys):
    office.gates["prod"] = (SIGNED.model_copy(update={"min": 2}),)
    office.prod()
    office.vote(keys[ANA])
    office.vote(keys[BEN], actor=BEN)
    assert office.prod()[0] == "deployed"


def test_who_asked_may_not_sign_for_it(office, keys):
    office.gates["prod"] = (SIGNED.model_copy(update={"exclude": ("requester",)}),)
    office.api(ANA).promote(None, None, None)
    with pytest.raises(Refused) as refused:
        office.vote(keys[ANA])
    assert refused.value.reason_code is ReasonCode.SELF_APPROVAL


def test_a_reject_closes_the_gate_whatever_was_approved_and_whatever_the_policy_becomes(office, keys):
    office.vote(keys[ANA])
    office.vote(keys[BEN], actor=BEN, decision="reject", comment="not today")
    assert office.prod()[:2] == ("refused", ReasonCode.REJECTED)
    office.allowed += "# another line\n" + f"mia@example.com {public(keys['stranger'])}\n"
    assert office.prod()[:2] == ("refused", ReasonCode.REJECTED)


def test_a_reject_taken_out_of_the_ledger_is_noticed_by_what_was_signed_after_it(office, keys):
    office.gates["prod"] = (SIGNED,)
    office.vote(keys[BEN], actor=BEN, decision="reject")
    api = office.api(ANA)
    case = api.case("prod", None)
    with pytest.raises(Refused):
        api.vote(case, "approve", None, str(keys[ANA]))
    state = api.context.ledger.refresh()
    reject, directory = office.store.kept[-1], state.head
    matter = VoteSubject(case.release, "prod", case.plan_digest, case.policy_digest, None, case.requested_by)
    output = sign_module._statement(api.context, VoteDraft(matter, "approve", "", None, None), state)
    body = {
        "plan_digest": output.plan_digest,
        "from": None,
        "policy_digest": output.policy_digest,
        "principal": ANA,
        "role": None,
        "grade": "signed",
        "comment": "",
        "expires_at": None,
        "envelope": {"statement": output.text(), "signature": sign(output.text(), keys[ANA])},
    }
    assert read_line(reject).digest == directory.digest
    office.store.kept.pop()
    head = head_of(read_line(office.store.kept[-1]))
    office.store.append(FactDraft(Kind.APPROVED, ANA, "prod", office.release().id, body), head, office.clock.now())
    status, code, sentence = office.prod()
    assert (status, code) == ("refused", ReasonCode.APPROVAL_STALE)
    assert "maybe a reject" in sentence


def test_a_used_approval_and_a_copy_of_it_are_used(office, keys):
    fact = office.vote(keys[ANA])
    office.engine.fail("create", StartError("no space left on device"))
    assert office.prod()[0] == "failed"
    assert office.prod()[:2] == ("pending", ReasonCode.APPROVAL_USED)
    head = head_of(read_line(office.store.kept[-1]))
    office.store.append(FactDraft(Kind.APPROVED, ANA, "prod", fact.release, fact.body), head, office.clock.now())
    assert office.prod()[0] != "deployed"
    office.vote(keys[ANA])
    assert office.prod()[0] == "deployed"


def test_the_fold_knows_a_used_vote_by_what_was_signed(office, keys):
    fact = office.vote(keys[ANA])
    assert office.prod()[0] == "deployed"
    entry = office.api().context.ledger.refresh().environment("prod")
    envelope = fact.document()["envelope"]
    assert list(entry.consumed) == [Envelope(envelope["statement"], envelope["signature"]).identity]


def test_a_fact_that_is_no_vote_at_all_is_an_error_and_no_traceback(office, keys):
    office.vote(keys[ANA])
    recast(office, lambda body: body.update(envelope="text"))
    with pytest.raises(LedgerError):
        office.promote()


# ---------------------------------------------------------------- a reject needs no key
def test_an_unsigned_reject_counts(office: Office, keys: dict[str, Path], tmp_path: Path) -> None:
    """Without any key, and with one in the settings or in git that would not count."""
    for key, gits in ((None, None), (str(keys["stranger"]), None), (None, str(keys["stranger"])), (str(tmp_path / "gone"), None)):
        office.newer(f"{key} {gits}")
        office.api("ci@example.com").run(None, None)
        api = office.api(BEN)
        api.context.key, api.context.git_key = key, lambda gits=gits: gits
        fact = api.vote(api.case("prod", None), "reject", "no")
        assert (fact.body["grade"], "envelope" in fact.body) == ("asserted", False)
        assert office.prod()[:2] == ("refused", ReasonCode.REJECTED)


def test_a_reject_is_signed_where_a_key_serves_and_a_named_key_must(office: Office, keys: dict[str, Path]) -> None:
    api = office.api(BEN)
    api.context.key = str(keys[BEN])
    assert "envelope" in api.vote(api.case("prod", None), "reject", "no").body
    with pytest.raises(Refused):
        api.vote(api.case("prod", None), "reject", "no", str(keys["stranger"]))
