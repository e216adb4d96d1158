"""Every difference is reported, and no two different values have the same text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.model.diff import differences, format_change
from promoter.model.visible_text import visible

WORDS = st.text(max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(WORDS, VALUES, max_size=4)


def lines(old: object, new: object) -> list[str]:
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    return [format_change(change.document()) for change in differences(old, new)]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ({"a": "x"}, {"a": "y"}, ["~ a: x -> y"]),
        ({}, {"a": {"b": "x"}}, ["+ a.b: x"]),
        ({"a": {"b": "x"}}, {}, ["- a.b: x"]),
        (
            {"a": ["sh", "-c", "sleep 1000", "a b"]},
            {"a": ["sh", "-c", "sleep 1000", "a", "b"]},
            ['~ a: ["sh", "-c", "sleep 1000", "a b"] -> ["sh", "-c", "sleep 1000", "a", "b"]'],
        ),
        ({"a": ["/bin/app", "x"]}, {"a": ["/bin/app x"]}, ['~ a: ["/bin/app", "x"] -> ["/bin/app x"]']),
        ({}, {"command": []}, ["+ command: []"]),
        ({"skip": []}, {}, ["- skip: []"]),
        ({"skip": []}, {"skip": None}, ["~ skip: [] -> null"]),
        ({"a": None}, {}, ["- a: null"]),
        ({"a": {}}, {}, ["- a: {}"]),
        ({"a": {}}, {"a": {"b": {}}}, ["+ a.b: {}"]),
        ({"a": "1"}, {"a": 1}, ['~ a: "1" -> 1']),
        ({"a": 1}, {"a": True}, ["~ a: 1 -> true"]),
        ({"a": 1}, {"a": 1.0}, ["~ a: 1 -> 1.0"]),
        ({"a": ""}, {"a": " "}, ['~ a: "" -> " "']),
        ({"a": "x -> y"}, {"a": "x"}, ['~ a: "x -> y" -> x']),
        ({"a": [{"min": 1}]}, {"a": []}, ["- a.1.min: 1"]),
        ({"a": [{"min": 1}, {"min": 2}]}, {"a": [{"min": 1}, {"min": 3}]}, ["~ a.2.min: 2 -> 3"]),
        ({"a.b": 1}, {"a": {"b": 1}}, ["+ a.b: 1", '- "a.b": 1']),
        ({"a": "evil\u202eoil\x1b[2J"}, {}, [r'- a: "evil\u202eoil\u001b[2J"']),
        (
            {"secrets": {"P": "1", "Q": "2"}},
            {"secrets": {"Q": "3", "R": "4"}},
            ["- secret P", "~ secret Q: changed", "+ secret R"],
        ),
        ({}, {}, []),
    ],
)
def test_each_change_is_one_line(old: object, new: object, message: list[str]) -> None:
    assert lines(old, new) == message


def test_for_programs_a_change_is_data() -> None:
    (change,) = differences({"a": {"b": ["x"]}}, {"a": {"b": []}})
    assert change.document() == {"path": "a.b", "from": ["x"], "to": [], "change": "changed"}


@given(DOCUMENTS, DOCUMENTS)
def test_documents_that_are_not_the_same_json_differ_in_a_line_that_shows_it(old: object, new: object) -> None:
    output = [change for change in lines(old, new) if not change.startswith("~ secret")]
    same = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert bool(lines(old, new)) == (not same)
    assert all(line.isprintable() for line in output)
    assert all(
        left != right for line in output if line[0] == "~" for left, _, right in [line[2:].partition(": ")[2].partition(" -> ")]
    )


def test_invisible_characters_are_escaped() -> None:
    assert visible("a\u200bb\u202ec\U000e0041\u2028d") == r"a\u200bb\u202ec\U000e0041\u2028d"
    assert visible("Grüße 日本 👍️") == "Grüße 日本 👍️"
