"""Confusable names count as one name, and unreadable names are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.model.names import fault_in, skeleton, spelled

ANA = "ana@example.com"


@pytest.mark.parametrize(
    "other",
    [
        "Ana@example.com",
        "ANA@EXAMPLE.COM",
        "\u0430na@example.com",
        "an\u0430@ex\u0430mple.com",
        "a\u200bna@example.com",
        "ana@example.com\u2060",
        "\uff41na@example.com",
        "ana@e\u0445ample.com",
        "\u0391na@example.com",
        "ana\ufe0f@example.com",
    ],
)
def test_names_confusable_with_ana_have_her_skeleton(other: str) -> None:
    assert skeleton(other) == skeleton(ANA)


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert skeleton("jos\u00e9") == skeleton("jose\u0301") != skeleton("jose")


@pytest.mark.parametrize(
    "name", [ANA, "jos\u00e9", "\u0438\u0432\u0430\u043d@example.com", "\u65e5\u672c@example.com", "o'neil", "ana-dev"]
)
def test_a_name_of_one_alphabet_is_good(name: str) -> None:
    assert fault_in(name) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a\u200bna", "it has an invisible character (U+200B)"),
        ("ana\u202e", "it has an invisible character (U+202E)"),
        ("ana\n", "it has an invisible character (U+000A)"),
        ("ana\u00a0b", "it has an invisible character (U+00A0)"),
        ("\u0430na@example.com", "mixes letters of two alphabets that look the same (Cyrillic)"),
        ("ana@ex\u03b1mple.com", "mixes letters of two alphabets that look the same (Greek)"),
    ],
)
def test_a_name_with_confusable_characters_is_refused(name: str, message: str) -> None:
    assert message in (fault_in(name) or "")


def test_the_differing_characters_are_shown() -> None:
    assert (spelled(ANA), spelled("\u0430na")) == (ANA, "\u0430na (U+0430)")


@given(st.text())
def test_any_text_has_a_skeleton_that_is_its_own(text: str) -> None:
    assert skeleton(skeleton(text)) == skeleton(text)
    fault_in(text)
    spelled(text)
