"""Checks with `dry_run`: they are reported and recorded, and stop nothing."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from promoter.gates.checks import CommandCheck, ContainerCheck, HttpCheck
from promoter.gates.metric import MetricCheck
from promoter.gates.scan import ScanCheck
from promoter.model.errors import StartError
from promoter.promotion.ports.container import ContainerSpec
from promoter.promotion.ports.secrets import Secrets
from promoter.promotion.progress import GateEvaluated, Notice
from tests.documents import objects_at
from tests.harness import Harness, statuses

MUST = HttpCheck(url="http://must.example.com/", within=timedelta(0))


def test_a_dry_run_gate_is_reported_and_recorded_and_blocks_nothing() -> None:
    gates = (HttpCheck(url="http://status.example.com/ok", within=timedelta(0), dry_run=True), MUST)
    shop = Harness(gates={"dev": gates})
    shop.probes.answer(gates[0].url, 503)
    shop.probes.answer(MUST.url, 200)
    result = shop.run("dev")
    assert statuses(result) == {"dev": "deployed"}
    output = "dry run: would have failed: http GET http://status.example.com/ok: status 503, not 200, for 0s"
    reported = [event for event in shop.events if isinstance(event, GateEvaluated)]
    assert next((event.gate, event.verdict.sentence) for event in reported) == (f"{gates[0].subject()} (dry run)", output)
    started = next(fact for fact in shop.store.read() if fact.kind == "started")
    recorded = objects_at(started.body, "gates")
    assert next((gate["outcome"], gate["sentence"]) for gate in recorded) == ("passed", output)
    assert result.environments[0].document()["gates"] == recorded
    shop.newer("two")
    shop.probes.answer(MUST.url, 503)
    assert statuses(shop.run("dev")) == {"dev": "pending"}


def test_a_dry_run_before_or_after_the_switch_fails_nothing_and_is_in_the_record() -> None:
    shop = Harness(
        before=(CommandCheck(run=("migrate",), dry_run=True),),
        verify=(HttpCheck(url="http://127.0.0.1:1/", within=timedelta(0), dry_run=True), ScanCheck(dry_run=True)),
    )
    shop.probes.result("migrate", 1)
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    details = [fact.body["detail"] for fact in shop.store.read() if fact.kind == "step_done"]
    tried = [detail for detail in details if isinstance(detail, dict) and detail.get("dry_run")]
    assert [detail["passed"] for detail in tried] == [False, False, False]
    assert tried[0]["sentence"] == "dry run: would have failed: command migrate: exit 1 after 0.00 s"
    assert "timed out" in tried[1]["sentence"]
    assert "neither trivy nor grype" in tried[2]["sentence"]
    notices = [event.text for event in shop.events if isinstance(event, Notice)]
    assert all(any(text.startswith("dev: ") and text.endswith(one["sentence"]) for text in notices) for one in tried)


def test_a_dry_run_check_that_cannot_be_executed_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    check = ContainerCheck(service="web", command=("smoke",), dry_run=True)
    shop = Harness(gates={"dev": (check,)}, verify=(check,))
    monkeypatch.setattr(shop.engine, "create", _cannot(shop.engine.create))
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    shop = Harness(gates={"dev": (check.model_copy(update={"dry_run": False}),)})
    monkeypatch.setattr(shop.engine, "create", _cannot(shop.engine.create))
    assert statuses(shop.run("dev")) == {"dev": "failed"}


def _cannot(create: Callable[..., str]) -> Callable[..., str]:
    """Let the creation of a job fail, and that of a service succeed."""

    def made(spec: ContainerSpec, secrets: Secrets) -> str:
        if "-job-" in spec.name:
            raise StartError("no space left on device")
        return create(spec, secrets)

    return made


def test_a_plan_names_dry_runs_as_such() -> None:
    shop = Harness(gates={"dev": (MUST.model_copy(update={"dry_run": True}),)})
    shop.api().build()
    gates = objects_at(shop.api().plan(None, "dev").environments[0].document(), "gates")
    assert [gate["sentence"] for gate in gates] == ["dry run: no result yet"]


def test_only_a_verification_queries_from_its_start() -> None:
    def metric(query: str) -> MetricCheck:
        output = {"url": "http://p.example.com", "query": query, "condition": "< 1", "for": "1m", "within": "0s", "dry_run": True}
        return MetricCheck.model_validate(output)

    shop = Harness(gates={"dev": (metric("gate"),)}, before=(metric("before"),), verify=(metric("verify"),))
    started = shop.clock.now().timestamp()
    assert statuses(shop.run("dev")) == {"dev": "deployed"}
    asked = [parse_qs(urlsplit(request.url).query) for request in shop.probes.requests]
    starts = {output["query"][0]: float(output["start"][0]) - started for output in asked if "start" in output}
    assert starts.keys() == {"gate", "before", "verify"}
    assert max(starts["gate"], starts["before"]) < 0 <= starts["verify"]
