"""When a Prometheus is asked again, for which points in time, and when the checker gives up."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from promoter.gates.context import CheckResult
from promoter.gates.metric import MetricCheck
from promoter.promotion.ports.probes import CommandResult, HttpAnswer, HttpRequest, ToolResult
from tests.promotion.checks.site import Bench

SILENT = HttpAnswer(None, "", 0.0, "nothing listens at p.example.com:80")


class Server:
    """Answers each point in time with `value`; None is no sample. `faults` are used first, one for each request."""

    def __init__(self, bench: Bench, value: Callable[[float], float | None], *faults: HttpAnswer) -> None:
        self._bench, self._value, self._faults = bench, value, list(faults)
        self.started = bench.clock.now().timestamp()
        self.asked: list[tuple[float, float, float]] = []
        self.requests: list[HttpRequest] = []

    def http(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        if self._faults:
            return self._faults.pop(0) if len(self._faults) > 1 or self._faults[0].status else self._faults[0]
        output = parse_qs(urlsplit(request.url).query)
        start, end, step = (float(output[name][0]) for name in ("start", "end", "step"))
        assert end <= self._bench.clock.now().timestamp() + 0.001, "the future was asked for"
        self.asked.append((start - self.started, end - self.started, step))
        times = [start + step * index for index in range(round((end - start) / step) + 1)]
        samples = [[at, str(value)] for at in times if (value := self._value(at - self.started)) is not None]
        data = {"resultType": "matrix", "result": [{"metric": {}, "values": samples}] if samples else []}
        return HttpAnswer(200, json.dumps({"status": "success", "data": data}), 0.001)

    def command(self, argv: Sequence[str], directory: Path, environment: Mapping[str, str], timeout: float) -> CommandResult:
        raise AssertionError("a metric runs no command")

    def tool(self, argv: Sequence[str], files: Mapping[str, str], environment: Mapping[str, str], timeout: float) -> ToolResult:
        raise AssertionError("a metric runs no program")


def check(**fields: object) -> MetricCheck:
    wanted = {"url": "http://p.example.com/prom/", "query": "errors", "condition": "< 1", "for": "1m", "interval": "15s"}
    return MetricCheck.model_validate({**wanted, **fields})


def run_check(bench: Bench, server: Server, metric: MetricCheck, *, fresh: bool = False) -> CheckResult:
    return bench.run_check(metric, fresh=fresh, probes=server)


def test_a_gate_asks_once_for_the_time_that_has_passed() -> None:
    bench = Bench()
    server = Server(bench, lambda _: 0.0)
    assert run_check(bench, server, check()).passed
    assert server.asked == [(-60.0, 0.0, 15.0)]
    assert bench.clock.sleeps == []
    assert server.requests[0].url.startswith("http://p.example.com/prom/api/v1/query_range?query=errors&start=")


def test_what_broke_before_the_span_is_forgotten_and_inside_it_is_not() -> None:
    bench = Bench()
    assert run_check(bench, Server(bench, lambda at: 5.0 if at < -60 else 0.0), check()).passed
    assert not run_check(bench, Server(bench, lambda at: 5.0 if at < -59 else 0.0), check()).passed


def test_a_server_that_is_silent_or_busy_is_asked_again_until_the_timeout() -> None:
    bench = Bench()
    busy = HttpAnswer(503, '{"status":"error","errorType":"unavailable","error":"starting"}', 0.001)
    assert run_check(bench, Server(bench, lambda _: 0.0, busy, busy), check(within="10s")).passed
    assert bench.clock.sleeps == [1.0, 1.0]
    bench = Bench()
    result = run_check(bench, Server(bench, lambda _: 0.0, SILENT), check(within="10s"))
    assert (result.passed, result.timed_out) == (False, True)
    assert result.sentence == "metric errors < 1 for 1m: nothing listens at p.example.com:80, for 10s"
    assert sum(bench.clock.sleeps) <= 10


@pytest.mark.parametrize("policy", ["fail", "wait", "pass"])
def test_no_policy_makes_silence_or_an_error_a_pass(policy: str) -> None:
    bench = Bench()
    assert not run_check(bench, Server(bench, lambda _: 0.0, SILENT), check(no_data=policy)).passed
    wrong = HttpAnswer(400, '{"status":"error","errorType":"bad_data","error":"parse error"}', 0.001)
    assert "bad_data: parse error" in run_check(bench, Server(bench, lambda _: 0.0, wrong), check(no_data=policy)).sentence
    assert sum(bench.clock.sleeps) <= 30


def test_missing_data_goes_by_the_policy() -> None:
    bench = Bench()

    def nothing(_: float) -> None:
        return None

    failed = run_check(bench, Server(bench, nothing), check())
    assert (failed.passed, failed.timed_out, bench.clock.sleeps) == (False, False, [])
    assert run_check(bench, Server(bench, nothing), check(no_data="pass")).passed
    waited = run_check(bench, Server(bench, nothing), check(no_data="wait", within="5s"))
    assert (waited.passed, waited.timed_out, sum(bench.clock.sleeps)) == (False, True, 5.0)


def test_a_verification_measures_only_what_came_after_it_began() -> None:
    bench = Bench()
    server = Server(bench, lambda at: 99.0 if at < 0 else 0.0)
    assert run_check(bench, server, check(), fresh=True).passed
    assert server.asked[-1] == (0.0, 60.0, 15.0)
    assert all(start >= 0 for start, _, _ in server.asked)
    assert sum(bench.clock.sleeps) == 60.0


def test_a_verification_ends_when_too_much_has_failed_and_bears_what_it_may() -> None:
    bench = Bench()
    assert not run_check(bench, Server(bench, lambda at: 9.0 if at >= 15 else 0.0), check(), fresh=True).passed
    assert sum(bench.clock.sleeps) == 15.0
    bench = Bench()
    assert run_check(bench, Server(bench, lambda at: 9.0 if at == 15 else 0.0), check(failure_limit=1), fresh=True).passed


def test_a_verification_restarts_when_data_comes_late() -> None:
    bench = Bench()
    server = Server(bench, lambda at: None if at < 20 else 0.0)
    assert run_check(bench, server, check(no_data="wait", within="1m"), fresh=True).passed
    start, end, _ = server.asked[-1]
    assert (start >= 20, end - start) == (True, 60.0)
    bench = Bench()
    late = run_check(bench, Server(bench, lambda at: None if at < 200 else 0.0), check(no_data="wait", within="1m"), fresh=True)
    assert (late.passed, late.timed_out) == (False, True)
    bench = Bench()
    assert not run_check(bench, Server(bench, lambda at: None if at < 20 else 0.0), check(), fresh=True).passed


def test_one_sample_is_enough_when_the_span_is_zero() -> None:
    bench = Bench()
    for fresh in (False, True):
        server = Server(bench, lambda _: 0.0)
        assert run_check(bench, server, check(**{"for": "0s"}), fresh=fresh).passed
        assert len(server.asked) == 1
    bench = Bench()
    waiting = run_check(bench, Server(bench, lambda _: None), check(**{"for": "0s"}, no_data="wait", within="5s"), fresh=True)
    assert (waiting.timed_out, len(bench.clock.sleeps)) == (True, 5)


def test_secrets_are_sent_to_the_server_and_masked_in_results() -> None:
    bench = Bench()
    wrong = HttpAnswer(400, '{"status":"error","errorType":"bad_data","error":"near hush-hush"}', 0.001)
    server = Server(bench, lambda _: 0.0, wrong)
    token = "{{ secret('TOKEN') }}"
    metric = check(
        url=f"https://u:{token}@p.example.com", query=f'a{{x="{token}"}}', headers={"Authorization": f"Bearer {token}"}
    )
    result = run_check(bench, server, metric)
    request = server.requests[0]
    assert request.url.startswith("https://u:hush-hush@p.example.com/api/v1/query_range?query=a%7Bx%3D%22hush-hush%22%7D&")
    assert request.headers["Authorization"] == "Bearer hush-hush"
    assert "near [secret TOKEN]" in result.sentence
    assert "hush-hush" not in result.sentence + result.seen
