"""The expression that is compiled at its first use behaves as one of `re`."""

import re

import pytest

from promoter.model.pattern import pattern


def test_it_matches_as_a_compiled_expression() -> None:
    made, standard = pattern(r"(a)(b)?", re.IGNORECASE), re.compile(r"(a)(b)?", re.IGNORECASE)
    for method in ("match", "fullmatch", "search", "findall", "split"):
        for text in ("ab", "xA", "x"):
            assert repr(getattr(made, method)(text)) == repr(getattr(standard, method)(text))
    assert made.sub("-", "cab") == "c-"
    assert (made.pattern, made.flags) == (standard.pattern, standard.flags)


def test_bytes_are_matched_too() -> None:
    assert pattern(rb"^b", re.MULTILINE).search(b"a\nb") is not None


def test_it_is_compiled_when_it_is_used() -> None:
    made = pattern("(")
    with pytest.raises(re.error):
        made.match("")


def test_a_method_is_kept() -> None:
    made = pattern("a")
    assert made.match is made.match
