"""Conditions, time spans, strict reading of a Prometheus's answers, and the verdict on the measured value."""

import json
import math
from datetime import timedelta

import pytest
from pydantic import ValidationError

from promoter.config.spec_errors import Misfit
from promoter.gates.metric import (
    MetricCheck,
    accepted,
    describe_measurement,
    hopeless,
    measure,
    parse_condition,
    range_ending_at,
    range_starting_at,
)
from promoter.gates.prometheus import BadAnswer, Series, Span, read_answer

STEP = 15_000
NOW = 1_700_000_007_123


def check(**fields: object) -> MetricCheck:
    return MetricCheck.model_validate(
        {"url": "http://p.example.com", "query": "errors", "condition": "< 0.5", "for": "1m", "interval": "15s", **fields}
    )


def answer(*series: tuple[dict[str, str], list[tuple[float, str]]], **more: object) -> str:
    result = [{"metric": labels, "values": [[at, value] for at, value in values]} for labels, values in series]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}, **more})


def samples(*values: float | None) -> tuple[Series, ...]:
    return (Series("errors", {index: value for index, value in enumerate(values) if value is not None}),)


@pytest.mark.parametrize(
    ("text", "below", "at", "above"),
    [
        ("< 0.5", True, False, False),
        ("<= 0.5", True, True, False),
        ("> .5", False, False, True),
        (">=0.5", False, True, True),
        ("== 5e-1", False, True, False),
        (" != +0.50 ", True, False, True),
    ],
)
def test_a_condition_compares_with_its_operator(text: str, below: bool, at: bool, above: bool) -> None:
    condition = parse_condition(text)
    assert [condition.holds(value) for value in (0.4, 0.5, 0.6)] == [below, at, above]


@pytest.mark.parametrize(
    "text", ["", "0.5", "<", "< 1 and > 0", "=< 1", "< nan", "< inf", "<> 1", "< 1e999", "result < 1", "< 1_0"]
)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(Misfit, match="not a condition"):
        parse_condition(text)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"condition": "about 1"}, "condition"),
        ({"url": "http://p.example.com/?x"}, "url"),
        ({"query": ""}, "query"),
        ({"failure_limit": 5}, "failure_limit"),
        ({"failure_limit": 1, "for": "0s"}, "failure_limit"),
        ({"for": "10000h"}, "interval"),
        ({"interval": "1us"}, "interval"),
        ({"no_data": "maybe"}, "no_data"),
    ],
)
def test_what_has_no_meaning_is_refused(fields: dict[str, object], where: str) -> None:
    with pytest.raises(ValidationError, match=r"1 validation error for MetricCheck") as error:
        check(**fields)
    cause = error.value.errors()[0]
    faults = getattr(cause.get("ctx", {}).get("error"), "faults", ())
    assert where in [*cause["loc"], *(part for fault in faults for part in fault.at)]


def test_a_gate_queries_earlier_and_a_verification_later_round_times() -> None:
    back, ahead = range_ending_at(check(), NOW), range_starting_at(check(), NOW)
    assert (back.points, back.end - back.start) == (5, 60_000)
    assert NOW - STEP < back.end <= NOW <= ahead.start < NOW + STEP
    assert back.end % STEP == ahead.start % STEP == 0
    once = check(**{"for": "0s"})
    assert range_ending_at(once, NOW) == range_starting_at(once, NOW) == Span(NOW, STEP, 1)


@pytest.mark.parametrize(("span", "points"), [("1m", 5), ("50s", 5), ("1m1s", 6), ("0s", 1), ("1s", 2)])
def test_the_points_cover_the_whole_span(span: str, points: int) -> None:
    assert check(**{"for": span}).points == points


def test_only_points_before_now_are_queried() -> None:
    span = Span(1000, 100, 4)
    assert [span.until(now).points for now in (999, 1000, 1099, 1100, 1300, 9999)] == [0, 1, 1, 2, 4, 4]


def test_an_answer_is_read_by_its_times_and_what_is_no_number_is_no_data() -> None:
    body = answer(
        ({"__name__": "up", "job": "web"}, [(1.0, "1"), (1.1, "NaN"), (1.2, "+Inf")]), ({}, [(1.1, "-2.5e3")]), infos=["a hint"]
    )
    first, second = read_answer(200, body, Span(1000, 100, 3))
    assert (first.labels, dict(first.samples)) == ('up{job="web"}', {0: 1.0, 2: math.inf})
    assert (second.labels, dict(second.samples)) == ("the value", {1: -2500.0})


GOOD = answer(({}, [(1.0, "1")]))


@pytest.mark.parametrize(
    ("status", "body", "why", "again"),
    [
        (
            400,
            '{"status":"error","errorType":"bad_data","error":"parse error at char 3"}',
            "bad_data: parse error at char 3",
            False,
        ),
        (422, '{"status":"error","errorType":"execution","error":"many-to-many"}', "execution: many-to-many", False),
        (503, '{"status":"error","errorType":"timeout","error":"query timed out"}', "timeout: query timed out", True),
        (500, '{"status":"error","errorType":"internal","error":"x"}', "internal: x", True),
        (499, '{"status":"error","errorType":"canceled","error":"x"}', "canceled: x", False),
        (500, "<html>", "not from a Prometheus server", True),
        (499, "<html>", "not from a Prometheus server", False),
        (502, "<html>Bad Gateway</html>", "not from a Prometheus server", True),
        (200, "<html>login</html>", "not from a Prometheus server", False),
        (200, "[" * 100_000, "not from a Prometheus server", False),
        (200, "[1]", "not from a Prometheus server", False),
        (200, "{}", "status 200: without a reason", False),
        (200, GOOD[:-1] + " " * (1 << 20), "too long: aggregate the query", False),
        (200, answer(({}, [(1.0, "1")]), warnings=["1 of 2 stores did not answer"]), "1 of 2 stores did not answer", False),
        (
            200,
            '{"status":"success","data":{"resultType":"vector","result":[]}}',
            "expected a matrix, got vector",
            False,
        ),
        (200, '{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}', "expected a matrix, got scalar", False),
        (200, '{"status":"success","data":[]}', "something else", False),
        (200, '{"status":"success","data":{"resultType":"matrix"}}', "expected a matrix, got ", False),
        (206, GOOD, "status 206", False),
        (200, '{"status":"success","data":{"resultType":"matrix","result":[{"values":[]}]}}', "without labels", False),
        (
            200,
            '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"histograms":[]}]}}',
            "no plain numbers",
            False,
        ),
        (200, GOOD.replace('"values"', '"histograms": [[1.1, {}]], "values"'), "no plain numbers", False),
        (200, answer(({}, [(1.0, "much")])), "not a pair of time and number", False),
        (200, GOOD.replace('[1.0, "1"]', "1"), "not a pair of time and number", False),
        (200, GOOD.replace('[1.0, "1"]', '[1e999, "1"]'), "not a pair of time and number", False),
        (200, answer(({}, [(1.05, "1")])), "at an unexpected time", False),
        (200, answer(({}, [(9.0, "1")])), "at an unexpected time", False),
        (200, answer(({"__name__": "up"}, [(1.3, "1")])), "up has a sample at an unexpected time", False),
        (200, answer(({"__name__": "up"}, [(1.0, "much")])), "a sample of up is not a pair of time and number", False),
        (200, answer(({}, [(0.9, "1")])), "at an unexpected time", False),
    ],
)
def test_what_is_not_wholly_an_answer_is_none(status: int, body: str, why: str, again: bool) -> None:
    with pytest.raises(BadAnswer) as fault:
        read_answer(status, body, Span(1000, 100, 3))
    assert why in str(fault.value)
    assert fault.value.again is again


NONE: tuple[Series, ...] = ()


@pytest.mark.parametrize(
    ("series", "limit", "fail", "wait", "lenient"),
    [
        (samples(0, 0, 0), 0, True, True, True),
        (samples(0, 1, 0), 0, False, False, False),
        (samples(0, 1, 0), 1, True, True, True),
        (samples(1, 1, 0), 1, False, False, False),
        (samples(0, None, 0), 0, False, False, True),
        (samples(0, None, 0), 1, True, False, True),
        (samples(1, None, 0), 1, False, False, True),
        (samples(None, None, None), 2, False, False, True),
        (NONE, 0, False, False, True),
        (NONE, 2, False, False, True),
        ((*samples(0, 0, 0), *samples(0, 0, None)), 0, False, False, True),
        ((*samples(0, 0, 0), *samples(0, 0, 1)), 0, False, False, False),
        ((*samples(None, 0, 0), *samples(1, 0, 0)), 1, True, True, True),
    ],
)
def test_every_sample_of_every_series_counts(
    series: tuple[Series, ...], limit: int, fail: bool, wait: bool, lenient: bool
) -> None:
    seen = measure(series, parse_condition("< 0.5"), 3)
    evaluated = [accepted(check(failure_limit=limit, no_data=policy), seen) for policy in ("fail", "wait", "pass")]
    assert evaluated == [fail, wait, lenient]


def test_only_failing_points_are_beyond_hope() -> None:
    condition = parse_condition("< 0.5")
    assert hopeless(check(), measure(samples(1, None), condition, 2))
    assert not hopeless(check(), measure(samples(None, None), condition, 2))
    assert not hopeless(check(failure_limit=1), measure(samples(1, 0), condition, 2))


def test_the_sentence_describes_the_measurement() -> None:
    condition = parse_condition("< 0.5")
    assert describe_measurement(measure(samples(0, 0), condition, 2), "< 0.5") == "< 0.5 at 2 points in time, 1 series"
    assert describe_measurement(measure(samples(0, 0.75, None), condition, 3), "< 0.5") == (
        "not < 0.5 at 1 of 3 points in time: errors is 0.75; no data at 1 of 3 points in time"
    )
    assert describe_measurement(measure(NONE, condition, 1), "< 0.5") == "no data"
    assert describe_measurement(measure(NONE, condition, 3), "< 0.5") == "no data at any of 3 points in time"
    assert (
        MetricCheck.model_validate({"url": "http://p.example.com", "query": "errors", "condition": "< 0.5"}).title()
        == "metric errors < 0.5"
    )
    assert check(query="rate(a[5m])\n  / b").title() == "metric rate(a[5m]) / b < 0.5 for 1m"
    assert check(dry_run=True).title() == "metric errors < 0.5 for 1m (dry run)"


def test_a_plan_and_a_policy_can_name_it() -> None:
    output = check(no_data="wait", failure_limit=2, headers={"X-Scope": "team"}).model_dump(mode="json", by_alias=True)
    assert output["for"] == "1m" and output["no_data"] == "wait" and output["failure_limit"] == 2
    assert MetricCheck.model_validate(output).for_ == timedelta(minutes=1)
