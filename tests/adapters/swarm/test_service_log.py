"""The log of a service is followed task by task: no line is shown twice, and none is left out."""

from datetime import UTC, datetime

from promoter.adapters.swarm.service_log import begin, log_part

ONE, TWO = (f"com.docker.swarm.node.id=n{n},com.docker.swarm.task.id=t{n}" for n in (1, 2))


def line(second: int, details: str, text: str, minute: int = 0) -> str:
    return f"2026-11-29T10:{minute:02}:{second:02}.000000001Z {details} {text}\n"


def test_lines_of_several_tasks_are_shown_once() -> None:
    first = log_part(line(1, ONE, "a") + line(3, TWO, "b"), "")
    assert first.text == "a\nb\n"
    again = log_part(line(1, ONE, "a") + line(2, ONE, "late") + line(3, TWO, "b"), first.until)
    assert again.text == "late\n"
    assert log_part(line(2, ONE, "late") + line(3, TWO, "b"), again.until).text == ""


def test_the_text_of_a_line_is_kept_as_it_is() -> None:
    assert log_part(line(1, ONE, "a  b=c, d"), "").text == "a  b=c, d\n"


def test_it_is_read_from_a_minute_before_the_newest_line() -> None:
    part = log_part(line(1, ONE, "a") + line(3, TWO, "b"), "")
    newest = datetime(2026, 11, 29, 10, 0, 3, tzinfo=UTC)
    assert begin(part.until) == f"{int(newest.timestamp()) - 60}.000000001"


def test_the_end_of_a_task_that_wrote_nothing_for_long_is_forgotten() -> None:
    part = log_part(line(1, ONE, "a"), "")
    later = log_part(line(5, TWO, "b", minute=5), part.until)
    assert "t1" not in later.until
    assert "t2" in later.until


def test_nothing_new_keeps_the_end() -> None:
    part = log_part(line(1, ONE, "a"), "")
    assert log_part("", part.until) == ("", part.until)
