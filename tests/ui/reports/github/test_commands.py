"""Commands with one meaning, and text with none: read by an emulation of the runner."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promoter.model.visible_text import visible
from promoter.ui.reports.github.commands import (
    assignments,
    command,
    fenced,
    harmless,
    harmless_json,
    masks,
    risky,
)
from promoter.ui.reports.progress_lines import clean
from tests.runner import KNOWN, Runner, read_assignments

pieces = st.sampled_from([*sorted(KNOWN), "::", "##[", "]", "#", ":", "[", " ", "\t", "\n", "\r", "\u00ad", "\u200b", "%0A", ","])
hostile = st.lists(st.one_of(pieces, st.text(max_size=5)), max_size=12).map("".join)
plain = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf"))).filter(lambda text: visible(text) == text)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("::error::x", "error"),
        ("  ::error file=a,line=1::x", "error"),
        ("\u3000::add-mask::x", "add-mask"),
        ("::STOP-commands::x", "stop-commands"),
        ("log: ##[error]x", "error"),
        ("####[add-path]x", "add-path"),
        ("##[group", None),
        ("log: ::error::x", None),
        ("::nothing::x", None),
        (":: error::x", None),
        ("#\u00ad#[error]x", "error"),
        (":\u200b:error::x", "error"),
    ],
)
def test_the_runner_knows_two_spellings(line: str, name: str | None) -> None:
    found = Runner()._parse(line)
    assert (found.name if found else None) == name
    assert risky(line) or name is None
    assert Runner()._parse(harmless(line)) is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("100%", "::error title=100%25::100%25"),
        ("a\nb", "::error title=a%0Ab::a%0Ab"),
        ("a\r\nb", "::error title=a%0Ab::a%0Ab"),
        ("a: b, c", "::error title=a%3A b%2C c::a: b, c"),
        ("%0A", "::error title=%250A::%250A"),
        ("\x1b[31mred", "::error title=[31mred::[31mred"),
        ("", "::error::"),
    ],
)
def test_a_command_is_escaped(text: str, written: str) -> None:
    assert command("error", text, {"file": None, "title": text}) == written


@given(plain, plain)
def test_a_command_is_read_as_it_was_meant(data: str, title: str) -> None:
    (found,) = Runner().feed(command("error", data, {"title": title, "line": 3})).commands
    assert (found.data, found.properties.get("title", ""), found.properties["line"]) == (data, title, "3")


@given(hostile)
def test_no_text_is_a_command(text: str) -> None:
    for written in (harmless(text), fenced(text)):
        runner = Runner().feed(written)
        assert (runner.commands, runner.token) == ([], None)


@given(hostile)
def test_text_stays_as_it_is_where_nothing_could_be_taken_for_a_command(text: str) -> None:
    cleaned = "\n".join(clean(line) for line in text.split("\n"))
    assert fenced(text) == cleaned if not risky(text) else harmless(text).replace(" ", "") == cleaned.replace(" ", "")


@given(st.dictionaries(hostile, st.lists(hostile, max_size=3), max_size=4))
@example({"\\##[error]": ["x ##[error]x", "#\u00ad#[error]"]})
def test_json_is_the_same_document_and_no_command(document: dict[str, list[str]]) -> None:
    import json

    from promoter.ui.reports.json import as_json

    written = harmless_json(as_json(document))
    assert json.loads(written) == document
    assert Runner().feed(written).commands == []


@given(st.dictionaries(st.sampled_from(["status", "url", "result"]), hostile))
def test_outputs_are_read_as_they_were_meant(values: dict[str, str]) -> None:
    assert read_assignments(assignments(values)) == values


def test_no_value_can_hold_the_line_that_ends_it() -> None:
    written = assignments(dict.fromkeys("abc", "x")) + assignments({"d": "x"})
    delimiters = re.findall(r"^[abcd]<<(.*)$", written, re.MULTILINE)
    assert len(set(delimiters)) == 4 and all(re.fullmatch("[0-9a-f]{32}", delimiter) for delimiter in delimiters)


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("hunter2", ["hunter2"]),
        ("  hunter2  ", ["hunter2"]),
        ("-----BEGIN\nabc\r\n}\n\n-----END\n", ["-----BEGIN", "abc", "-----END"]),
        ("100%\n", ["100%"]),
        ("", []),
        (" \n", []),
        ("ab", []),
        ("sha256:" + "0" * 64, []),
        ("0" * 64, ["0" * 64]),
    ],
)
def test_secrets_are_masked_line_by_line(value: str, hidden: list[str]) -> None:
    assert Runner().feed("\n".join(masks(value, 3))).masks == hidden


def test_each_fence_has_a_token_of_its_own() -> None:
    runner = Runner().feed(*(fenced("##[error]x") for _ in range(3)))
    assert len(set(runner.tokens)) == 3
