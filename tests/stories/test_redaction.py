"""Break 7: an engine's message that contains a secret was written to the terminal, the ledger and every report."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from promoter.model.errors import StartError
from promoter.model.redaction import redacted
from promoter.model.verdict import ReasonCode
from promoter.promotion.progress import StepFailed
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.cli import console
from promoter.ui.cli.ci import session
from promoter.ui.cli.global_options import Common
from tests.fakes.secrets import FakeSecrets
from tests.harness import Harness

VALUE = "hunter2-ALPHA-9f3c77"


def hide(text: str) -> str:
    return text.replace(VALUE, "[secret ALPHA]")


def test_no_fact_contains_a_secret_from_an_engine_error() -> None:
    shop = Harness()
    shop.secrets = FakeSecrets({"ALPHA": VALUE})
    shop.secrets.revealed.add("ALPHA")
    shop.engine.fail("start", StartError(f'container x could not be started: exec: "--password={VALUE}": not found'))
    api = shop.api()
    api.run("dev", None)
    failed = [fact for fact in shop.store.read() if fact.kind == "failed"]
    assert failed and "[secret ALPHA]" in str(failed[0].body["reasons"])
    assert not [fact for fact in shop.store.read() if VALUE in str(fact.body)]


def test_values_of_every_shape_leave_without_secrets() -> None:
    output = ("a", {"b": [f"c {VALUE}", 1, None, True]}, StepFailed("dev", "replace web", ReasonCode.START_FAILED, (VALUE,)))
    left = redacted(output, hide)
    assert VALUE not in str(left)
    assert left == ("a", {"b": ["c [secret ALPHA]", 1, None, True]}, replace(output[2], reasons=("[secret ALPHA]",)))


def test_text_json_and_complaints_leave_by_one_exit(capsys) -> None:
    with session.new_session():
        session.current().redact = hide
        console.print_text(f"text {VALUE}")
        console.print_json({"error": {"message": VALUE, "count": 3}})
        console.complain(f"Traceback … {VALUE}")
    out, err = capsys.readouterr()
    assert VALUE not in out + err
    assert json.loads(out.partition("\n")[2]) == {"error": {"message": "[secret ALPHA]", "count": 3}}


def test_a_thread_without_the_session_prints_nothing_instead_of_secrets(capsys) -> None:
    with session.new_session(), ThreadPoolExecutor(1) as pool:
        session.current().redact = hide
        outcome = pool.submit(console.print_text, f"text {VALUE}")
        assert isinstance(outcome.exception(), LookupError)
    assert capsys.readouterr().out == ""


def test_reports_of_a_run_hold_no_value(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROMOTER_JUNIT", "junit.xml")
    monkeypatch.setenv("PROMOTER_DOTENV", "promoter.env")
    taken = session.CiSession(Common(file=tmp_path / "pipeline.yaml"), "run")
    taken.redact = hide
    taken.platform.listening(lambda _: None)
    result = EnvironmentResult("dev", Status.FAILED, ReasonCode.START_FAILED, (VALUE,), details={"evidence": [{"log": [VALUE]}]})
    taken.ended(RunResult("shop", None, (result,)), None, "")
    written = [file.read_text() for file in tmp_path.iterdir()]
    assert written and not [text for text in written if VALUE in text]
    assert any("[secret ALPHA]" in text for text in written)
