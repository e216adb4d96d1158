"""The shapes of the checks, and the verdict on what was seen."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from promoter.gates.case import Case, CheckResult
from promoter.gates.checks import HttpCheck, judge_check
from promoter.model.release import Release, Source
from promoter.model.verdict import Outcome, ReasonCode

CHECK = HttpCheck(url="http://status.example.com/ok")


def judged(result: CheckResult | None) -> tuple[Outcome, ReasonCode]:
    checks = {} if result is None else {0: result}
    verdict = judge_check(CHECK, 0, Case("prod", Release({}, Source()), "p", "q", None, "a", datetime.now(UTC), checks=checks))
    return verdict.outcome, verdict.code


def test_only_a_check_that_passed_opens() -> None:
    assert judged(CheckResult(True, "fine")) == (Outcome.PASSED, ReasonCode.OK)
    assert judged(CheckResult(False, "status 500")) == (Outcome.WAITING, ReasonCode.CHECK_FAILED)
    assert judged(CheckResult(False, "silence", timed_out=True)) == (Outcome.WAITING, ReasonCode.CHECK_TIMEOUT)
    assert judged(None) == (Outcome.WAITING, ReasonCode.CHECK_FAILED)


def test_an_address_may_hold_a_secret_and_nothing_else_with_spaces() -> None:
    assert HttpCheck(url="https://h.example.com/?k={{ secret('K') }}").url.endswith("}}")
    for bad in ("https://h.example.com/a b", "ftp://h.example.com/", "h.example.com"):
        with pytest.raises(ValidationError):
            HttpCheck(url=bad)
