"""Output as lines: no split shows a part of a secret, and no line is lost."""

from promoter.usecases.redacted_lines import LONGEST, OVERLAP, RedactedLines

SECRET = "abcd1234"


def lines(*parts: str) -> list[str]:
    found: list[str] = []
    reader = RedactedLines(lambda text: text.replace(SECRET, "[secret]"), lambda _, line: found.append(line))
    for part in parts:
        reader.take("stdout", part)
    reader.end()
    return found


def test_lines_are_whole_however_the_text_is_cut() -> None:
    assert lines("on", "e\ntw", "o\n\nthr", "ee") == ["one", "two", "", "three"]


def test_a_secret_that_arrives_in_parts_is_redacted() -> None:
    assert lines("my abc", "d12", "34\n", "abcd", "1234") == ["my [secret]", "[secret]"]


def test_a_secret_in_a_line_that_does_not_end_is_redacted() -> None:
    output = "".join(lines("x" * (LONGEST - 3) + SECRET[:5], SECRET[5:] + "y" * OVERLAP, "\nend"))
    assert (SECRET[:5] in output, "[secret]" in output, output.count("x")) == (False, True, LONGEST - 3)


def test_streams_do_not_mix() -> None:
    found: list[tuple[str, str]] = []
    reader = RedactedLines(str, lambda *line: found.append(line))
    for stream, text in (("stdout", "o"), ("stderr", "err\n"), ("stdout", "ut\n")):
        reader.take(stream, text)
    assert found == [("stderr", "err"), ("stdout", "out")]
