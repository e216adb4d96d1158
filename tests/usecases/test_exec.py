"""`exec`: what runs where, what is recorded, and what is refused before anything is recorded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from promoter.ledger.chain import Kind
from promoter.model.errors import CallerError, EngineError, Interrupted, PromoterError, Refused, SecretError, StartError
from promoter.model.secrets import EnvSource
from promoter.model.verdict import ReasonCode
from promoter.pipeline.compose.service import Service
from promoter.promotion.ports.container import ExecResult
from promoter.ui.reports.history import history
from promoter.ui.reports.view import View
from promoter.usecases.exec import Execution
from tests.fakes.engine import Behaviour
from tests.harness import WEB, Harness

LIST = ("ls", "/data")
SLOW = ("sleep", "600")
BEHAVIOUR = Behaviour(exec={LIST: ExecResult(3, "one\nerr two\n"), SLOW: ExecResult(124, "", timed_out=True)})


def ready() -> Harness:
    shop = Harness()
    shop.engine.behave(shop.images["web"].digest, BEHAVIOUR)
    shop.run("dev")
    return shop


def execute(shop: Harness, *command: str, service: str = "web", **options: Any) -> tuple[Execution, list[tuple[str, str]]]:
    lines: list[tuple[str, str]] = []
    ended = shop.api().execute("dev", service, command, lambda stream, line: lines.append((stream, line)), **options)
    return ended, lines


def recorded(shop: Harness) -> list[dict[str, Any]]:
    return [fact.document() for fact in shop.store.read() if fact.kind is Kind.EXECUTED]


def test_the_output_arrives_by_line_and_both_facts_are_recorded() -> None:
    shop = ready()
    ended, lines = execute(shop, *LIST)
    assert (ended.exit_code, lines) == (3, [("stdout", "one"), ("stderr", "err two")])
    intent, result = recorded(shop)
    box = shop.engine.box("shop-dev-web")
    what = {"actor": "ann@example.com", "environment": "dev", "release": shop.release().id, "service": "web", "replica": 1}
    for fact in (intent, result):
        assert fact.items() >= {**what, "container": box.id, "command": list(LIST)}.items()
    assert not {"intent", "exit_code", "started", "duration_ms", "reason"} & intent.keys()
    assert result["prev"] == result["intent"]
    assert (result["exit_code"], result["duration_ms"], "started" in result) == (3, 0, True)
    assert ended.document()["fact"] == result["seq"]


def test_the_start_is_recorded_before_the_command_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = ready()
    seen: list[int] = []
    ran = shop.engine.exec

    def watched(*words: Any) -> ExecResult:
        seen.append(len(recorded(shop)))
        return ran(*words)

    monkeypatch.setattr(shop.engine, "exec", watched)
    execute(shop, "true")
    assert seen == [1]


@pytest.mark.parametrize("error", [Interrupted(), EngineError("the engine is gone")])
def test_an_end_that_was_not_seen_is_recorded_with_its_reason(error: PromoterError) -> None:
    shop = ready()
    shop.engine.fail("exec", error)
    with pytest.raises(type(error)):
        execute(shop, *LIST)
    _, result = recorded(shop)
    assert ("exit_code" in result, result["reason"]) == (False, error.message)


def test_a_command_that_does_not_end_in_time_has_no_exit_code() -> None:
    shop = ready()
    ended, _ = execute(shop, *SLOW, timeout=timedelta(minutes=90))
    assert ended.exit_code is None
    assert "not finished within 1h30m" in str(recorded(shop)[1]["reason"])


def test_the_replica_that_is_named_runs_it() -> None:
    shop = Harness()
    shop.services["web"] = Service.model_validate({**WEB.model_dump(), "deploy": {"replicas": 2}})
    shop.run("dev")
    execute(shop, "true", replica=2)
    assert shop.engine.verbs("exec")[-1] == ("exec", "shop-dev-web-2", "true")
    with pytest.raises(CallerError, match="no replica 3 in dev: it has 2"):
        execute(shop, "true", replica=3)


def test_secrets_are_redacted_in_output_and_record() -> None:
    shop = ready()
    shop.secrets.values["TOKEN"] = "abcd1234"
    shop.secrets.revealed.add("TOKEN")
    shop.engine.behave(shop.images["web"].digest, Behaviour(exec={("echo", "abcd1234"): ExecResult(0, "is abcd1234")}))
    _, lines = execute(shop, "echo", "abcd1234")
    assert lines == [("stdout", "is [secret TOKEN]")]
    assert [fact["command"] for fact in recorded(shop)] == [["echo", "[secret TOKEN]"]] * 2


def test_without_a_secret_that_must_be_redacted_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = ready()
    declared = replace(shop.pipeline, secrets={"TOKEN": EnvSource("TOKEN")})
    monkeypatch.setattr(Harness, "pipeline", property(lambda _: declared))
    refused(shop, SecretError, "TOKEN is missing")


def refused(shop: Harness, kind: type[PromoterError], message: str, **options: Any) -> PromoterError:
    """Check that nothing runs and nothing is recorded."""
    shop.engine.calls.clear()
    before = len(list(shop.store.read()))
    with pytest.raises(kind, match=message) as caught:
        execute(shop, *LIST, **options)
    assert (len(list(shop.store.read())), shop.engine.verbs("exec")) == (before, [])
    return caught.value


def test_another_engine_is_refused() -> None:
    shop = ready()
    shop.engine.fingerprint = "f" * 64
    error = refused(shop, Refused, "another engine")
    assert error.reason_code is ReasonCode.POLICY_CHANGED


def test_containers_of_another_ledger_are_refused() -> None:
    shop = ready()
    box = shop.engine.box("shop-dev-web")
    box.spec = replace(box.spec, labels={**box.spec.labels, "dev.promoter.ledger": "sha256:other"})
    assert refused(shop, Refused, "another ledger").reason_code is ReasonCode.OTHER_LEDGER


def test_a_container_of_another_owner_is_refused() -> None:
    shop = ready()
    box = shop.engine.box("shop-dev-web")
    box.spec = replace(box.spec, labels={})
    refused(shop, StartError, "is not ours")


@pytest.mark.parametrize(("lose", "state"), [("crash", "is exited"), ("remove", "is missing")])
def test_without_a_running_container_the_remedy_is_a_repair(lose: str, state: str) -> None:
    shop = ready()
    getattr(shop.engine, lose)("shop-dev-web")
    error = refused(shop, EngineError, state)
    assert error.hint is not None
    assert "promoter repair dev" in error.hint


def test_unknown_names_are_refused() -> None:
    shop = Harness()
    with pytest.raises(CallerError, match="no environment 'dve'"):
        shop.api().execute("dve", "web", ["ls"], lambda *_: None)
    with pytest.raises(CallerError, match="nothing was promoted to dev yet"):
        execute(shop, "ls")
    shop.run("dev")
    with pytest.raises(CallerError, match="dev has no service 'wbe'"):
        execute(shop, "ls", service="wbe")


def test_the_history_has_one_line_for_a_command() -> None:
    shop = ready()
    execute(shop, *LIST)
    shop.engine.fail("exec", EngineError("the engine is gone"))
    with pytest.raises(EngineError):
        execute(shop, "true")
    text = history(shop.api().history("dev"), View(shop.clock.now()))
    assert [line.split("ann@example.com")[-1].strip() for line in text.splitlines() if "executed" in line] == [
        "web: true · the engine is gone",
        "web: ls /data · exit code 3",
    ]
