"""The forms of the checks, and the verdict on an answer."""

import re
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from promoter.gates.checks import HttpCheck, dry_run_sentence, evaluate_check
from promoter.gates.context import CheckResult, GateContext
from promoter.model.release import Release, Source
from promoter.model.verdict import Outcome, ReasonCode, Verdict

CHECK = HttpCheck(url="http://status.example.com/ok")


def evaluated(result: CheckResult | None) -> tuple[Outcome, ReasonCode]:
    verdict = verdict_on(result)
    return verdict.outcome, verdict.code


def verdict_on(result: CheckResult | None) -> Verdict:
    checks = {} if result is None else {0: result}
    return evaluate_check(
        CHECK, 0, GateContext("prod", Release({}, Source()), "p", "q", None, "a", datetime.now(UTC), checks=checks)
    )


def test_only_a_check_that_passed_opens() -> None:
    assert evaluated(CheckResult(True, "fine")) == (Outcome.PASSED, ReasonCode.OK)
    assert evaluated(CheckResult(False, "status 500")) == (Outcome.WAITING, ReasonCode.CHECK_FAILED)
    assert evaluated(CheckResult(False, "silence", timed_out=True)) == (Outcome.WAITING, ReasonCode.CHECK_TIMEOUT)
    assert evaluated(None) == (Outcome.WAITING, ReasonCode.NOT_CHECKED)


def test_an_address_may_hold_a_secret_and_nothing_else_with_spaces() -> None:
    assert HttpCheck(url="https://h.example.com/?k={{ secret('K') }}").url.endswith("}}")
    for bad in ("https://h.example.com/a b", "ftp://h.example.com/", "h.example.com"):
        with pytest.raises(ValidationError):
            HttpCheck(url=bad)


def test_the_verdict_has_the_sentence_of_the_check() -> None:
    assert verdict_on(CheckResult(True, "fine")).sentence == "fine"
    assert verdict_on(CheckResult(False, "status 500")).sentence == "status 500"


def test_a_dry_run_reports_the_outcome_it_would_have_had() -> None:
    results = (CheckResult(True, "fine"), CheckResult(False, "silence", timed_out=True), CheckResult(False, "status 500"))
    output = [dry_run_sentence(result) for result in results]
    assert [re.findall("would have (passed|timed out|failed)", one) for one in output] == [["passed"], ["timed out"], ["failed"]]
