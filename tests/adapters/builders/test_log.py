import threading
from collections.abc import Iterator

import pytest

from promoter.adapters.builders.log import BuildLog, attentive, never
from promoter.model.errors import BuildError, Interrupted
from promoter.model.secrets import handle
from tests.fakes.secrets import FakeSecrets


def test_lines_pass_in_order() -> None:
    assert list(attentive(iter("abc"), never)) == ["a", "b", "c"]


def test_an_error_among_them_is_raised_by_the_caller() -> None:
    def broken() -> Iterator[str]:
        yield "a"
        raise BuildError("no")

    lines = attentive(broken(), never)
    assert next(lines) == "a"
    with pytest.raises(BuildError, match="no"):
        next(lines)


def test_an_interruption_is_noticed_while_the_build_prints_nothing() -> None:
    silence = threading.Event()

    def mute() -> Iterator[str]:
        silence.wait()
        yield "late"

    def interrupted() -> None:
        raise Interrupted

    try:
        with pytest.raises(Interrupted):
            next(attentive(mute(), interrupted))
    finally:
        silence.set()


def test_a_log_masks_secrets_in_lines_and_failures() -> None:
    secrets, output = FakeSecrets({"token": "hunter2"}), list[str]()
    secrets.reveal(handle("token"))
    log = BuildLog(secrets, output.append)
    log.line("with hunter2\n")
    error = log.failure("web", "exit 1: hunter2", "mend it")
    assert output == ["with [secret token]"]
    assert error.message == "web could not be built: exit 1: [secret token]\n  with [secret token]" and error.hint == "mend it"


def test_a_failure_shows_the_last_lines_only() -> None:
    log = BuildLog(FakeSecrets(), lambda _: None)
    for number in range(100):
        log.line(f"line {number}")
    message = log.failure("web", "no").message
    assert "line 99" in message and "line 80" in message and "line 79" not in message
