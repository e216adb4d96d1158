"""The role and the key for an override and a review are checked before the case is shown and before anything is signed."""

from pathlib import Path

import pytest

from promoter.adapters.ssh.signer import SshKeygen
from promoter.gates.approval.rule import Approval
from promoter.gates.override import Override
from promoter.model.errors import CallerError, Refused, SigningError
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from tests.harness import Harness
from tests.signed_office import ANA, BEN, EVE, Office, make_keys, open_office

pytestmark = pytest.mark.process

POLICY = Override.model_validate({"from": ["on-call"], "grade": Grade.SIGNED})


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def office(keys: dict[str, Path], tmp_path: Path) -> Office:
    """Prod waits. A signed override of Ana or Eve passes its gates."""
    office = open_office(keys, tmp_path)
    office.roles, office.override = {"on-call": (ANA, EVE)}, POLICY
    office.promote()
    return office


@pytest.fixture
def no_signing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SshKeygen, "sign", lambda *_: pytest.fail("it was asked to sign"))


@pytest.mark.usefixtures("no_signing")
def test_an_override_needs_the_right_and_a_key_that_counts(office: Office, keys: dict[str, Path]) -> None:
    api = office.api(ANA)
    case = api.case("prod", None)
    with pytest.raises(Refused, match=f"{BEN} may not override") as caught:
        office.api(BEN).check_override(case, str(keys[BEN]))
    assert caught.value.reason_code is ReasonCode.ROLE_MISSING
    with pytest.raises(CallerError, match="no key was found"):
        api.check_override(case, None)
    with pytest.raises(SigningError, match="there is no key"):
        api.check_override(case, "/absent")
    with pytest.raises(Refused, match="is not in the allowed_signers file"):
        api.check_override(case, str(keys["stranger"]))
    with pytest.raises(Refused, match=f"belongs to {EVE}, not to {ANA}"):
        api.check_override(case, str(keys[EVE]))
    api.check_override(case, str(keys[ANA]))


def test_a_veto_ends_an_override_before_the_case_is_shown(office: Office, keys: dict[str, Path]) -> None:
    office.api(BEN).veto(office.release().id, "leaks")
    api = office.api(ANA)
    with pytest.raises(Refused) as caught:
        api.check_override(api.case("prod", None), str(keys[ANA]))
    assert caught.value.reason_code is ReasonCode.VETOED


def test_a_key_needs_approvers_in_the_file(keys: dict[str, Path]) -> None:
    """Without them no signature can be checked."""
    harness = Harness(roles={"on-call": (ANA,)}, override=POLICY, gates={"prod": (Approval(),)})
    harness.run()
    api = harness.api(ANA)
    with pytest.raises(CallerError, match="names no `approvers`"):
        api.check_override(api.case("prod", None), str(keys[ANA]))


def test_a_review_signs_only_with_a_key_that_counts(
    office: Office, keys: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    api = office.api(ANA)
    api.override(api.case("prod", None), "checkout is down", str(keys[ANA]))
    assert office.prod()[1] is ReasonCode.OVERRIDDEN
    before = len(office.store.kept)
    with monkeypatch.context() as patched:
        patched.setattr(SshKeygen, "sign", lambda *_: pytest.fail("it was asked to sign"))
        with pytest.raises(Refused, match="may not review this override"):
            office.api(ANA).review("prod", None, str(keys[ANA]))
        with pytest.raises(Refused, match=f"belongs to {EVE}, not to {BEN}"):
            office.api(BEN).review("prod", None, str(keys[EVE]))
        with pytest.raises(SigningError, match="there is no key"):
            office.api(BEN).review("prod", None, "/absent")
    assert len(office.store.kept) == before
    assert office.api(BEN).review("prod", None, str(keys[BEN])).kind == "attested"
