"""F9: an approval that the next promotion would not count is refused before it is recorded, with the reason."""

import pytest

from promoter.gates.approval.rule import Approval
from promoter.model.errors import Refused
from promoter.model.secrets import handle
from promoter.model.verdict import ReasonCode
from tests.harness import Harness

BEN = "ben@example.com"


@pytest.fixture
def shop() -> Harness:
    made = Harness(gates={"prod": (Approval(),)})
    made.secrets.values["TOKEN"] = "abcd1234"
    made.services["web"] = made.services["web"].model_copy(update={"environment": {"LEVEL": "warn", "TOKEN": handle("TOKEN")}})
    made.run()
    return made


def refusal(shop: Harness) -> Refused:
    api, before = shop.api(BEN), len(shop.store.kept)
    case = api.case("prod", None)
    with pytest.raises(Refused) as shown:
        api.check_approval(case, None)
    with pytest.raises(Refused):
        api.vote(case, "approve", None)
    assert len(shop.store.kept) == before
    return shown.value


def test_a_plan_that_the_file_would_not_make_any_more_is_not_approved(shop: Harness) -> None:
    service = shop.services["web"]
    shop.services["web"] = service.model_copy(update={"environment": {**service.environment, "LEVEL": "error"}})
    error = refusal(shop)
    assert error.reason_code is ReasonCode.APPROVAL_STALE
    assert "makes another plan for prod than the one that waits: ~ services.web.environment.LEVEL: warn -> error" in str(error)
    assert error.hint is not None and f"`promoter promote {shop.release().short_id} --to prod` requests it again" in error.hint


def test_a_reject_of_such_a_plan_is_recorded(shop: Harness) -> None:
    shop.services["web"] = shop.services["web"].model_copy(update={"environment": {"LEVEL": "error"}})
    api = shop.api(BEN)
    assert api.vote(api.case("prod", None), "reject", "no").kind == "rejected"


def test_the_values_of_secrets_are_not_needed_to_compare(shop: Harness) -> None:
    del shop.secrets.values["TOKEN"]
    api = shop.api(BEN)
    case = api.case("prod", None)
    api.check_approval(case, None)
    assert api.vote(case, "approve", None).kind == "approved"


def test_a_file_that_reads_variables_is_not_compared(shop: Harness) -> None:
    """On the machine that promotes, the variables may have other values."""
    shop.services["web"] = shop.services["web"].model_copy(update={"environment": {"LEVEL": "error"}})
    shop.reads_variables = True
    api = shop.api(BEN)
    api.check_approval(api.case("prod", None), None)


def test_what_runs_there_must_still_be_what_ran_when_it_was_requested(shop: Harness) -> None:
    api = shop.api(BEN)
    case = api.case("prod", None)
    shop.gates = {}
    shop.run()
    shop.gates = {"prod": (Approval(),)}
    with pytest.raises(Refused, match="what runs in prod has changed since ann@") as caught:
        shop.api(BEN).check_approval(case, None)
    assert caught.value.reason_code is ReasonCode.APPROVAL_STALE


def test_a_plan_without_the_secrets_takes_them_as_recorded(shop: Harness) -> None:
    """F7: `plan` ended with exit 1 for everyone without the secrets."""
    with_secrets = shop.api().plan(None, None).environments
    del shop.secrets.values["TOKEN"]
    result = shop.api().plan(None, None).environments
    assert [(one.status, one.plan_digest) for one in result] == [(one.status, one.plan_digest) for one in with_secrets]
    assert [one.details["assumed_secrets"] for one in result] == [["TOKEN"]] * len(result)
