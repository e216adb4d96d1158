# ruff: noqa: E501 (what is written stands beside what it becomes)
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.compose.env_file import BadEnvFile, read_env_file
from promoter.compose.interpolate import Unset, interpolate

KNOWN = {"A": "1", "EMPTY": "", "B": "b}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"), ("$A", "1"), ("${A}x", "1x"), ("$NO-${NO}", "-"), ("$$A $${A}", "$A ${A}"), ("${NO:-d}", "d"), ("${NO-d}", "d"), ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""), ("${A:+y}${NO:+y}", "y"), ("${EMPTY+y}${EMPTY:+n}", "y"), ("${A:?no}", "1"), ("${NO:-${A}}", "1"), ("${NO:-a${NO:-b$A}}}", "ab1}"),
        ("${B}", "b}"), ("${EMPTY?no}", ""), ("a$A.b", "a1.b"),
    ],
)  # fmt: skip
def test_variables_are_filled_in_as_compose_does(text, filled):
    assert interpolate(text, KNOWN) == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NO:?say it}", "the environment variable NO is required: say it"), ("${EMPTY:?}", "the environment variable EMPTY is required"),
        ("${NO?}", "the environment variable NO is required"), ("a $ b", "a `$` stands alone here"), ("5$", "a `$` stands alone here"),
        ("${A", "`${A` is never closed"), ("${A:-b", "`${` is never closed"), ("${}", "`${` is not followed by a name"), ("${A!}", "`${A` is never closed"),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_in_is_said(text, message):
    with pytest.raises(Unset) as caught:
        interpolate(text, KNOWN)
    assert caught.value.message == message


@given(st.text())
def test_doubled_dollars_are_the_text_itself(text):
    assert interpolate(text.replace("$", "$$"), KNOWN) == text


@given(st.text("${}A:-?+ "))
def test_any_text_is_filled_in_or_refused(text):
    try:
        filled = interpolate(text, KNOWN)
    except Unset:
        filled = ""
    assert isinstance(filled, str)


ENV = """\
# comment

PLAIN=a b  # comment
export EXPORTED=1
SPACED =  x
HASH=a#b
EMPTY=
QUOTED="a\\n$A ${NO:-d} \\$A # x" # after
SINGLE='a\\n$A # x'
MULTI="one
two"
BARE
HOME
REF=${PLAIN}!
DOTTED.name-x=1
"""


def test_an_env_file_is_read_as_compose_reads_it():
    assert read_env_file(ENV, {"A": "1", "HOME": "/root"}) == {
        "PLAIN": "a b", "EXPORTED": "1", "SPACED": "x", "HASH": "a#b", "EMPTY": "", "QUOTED": "a\n1 d $A # x", "SINGLE": "a\\n$A # x",
        "MULTI": "one\ntwo", "HOME": "/root", "REF": "a b!", "DOTTED.name-x": "1",
    }  # fmt: skip


def test_a_raw_one_is_taken_as_it_is():
    assert read_env_file("A='x' # y\nB=$HOME", {}, raw=True) == {"A": "'x' # y", "B": "$HOME"}


@pytest.mark.parametrize(("text", "line", "message"), [("A=1\n1x=2", 2, "'1x=2' is not NAME=value"), ("A='x", 1, "a ' is opened and never closed"), ("\nA=${B:?no}", 2, "the environment variable B is required: no")])  # fmt: skip
def test_a_bad_line_is_named(text, line, message):
    with pytest.raises(BadEnvFile) as caught:
        read_env_file(text, {})
    assert (caught.value.line, caught.value.message) == (line, message)
