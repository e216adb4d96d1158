import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.pipeline.compose.env_file import BadEnvFile, read_env_file
from promoter.pipeline.compose.interpolation import Unset, interpolate

KNOWN = {"A": "1", "EMPTY": "", "B": "b}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("$A", "1"),
        ("${A}x", "1x"),
        ("$NO-${NO}", "-"),
        ("$$A $${A}", "$A ${A}"),
        ("${NO:-d}", "d"),
        ("${NO-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${A:+y}${NO:+y}", "y"),
        ("${EMPTY+y}${EMPTY:+n}", "y"),
        ("${A:?no}", "1"),
        ("${NO:-${A}}", "1"),
        ("${NO:-a${NO:-b$A}}}", "ab1}"),
        ("${B}", "b}"),
        ("${EMPTY?no}", ""),
        ("a$A.b", "a1.b"),
        # compose.md D9 and section 1: a single dollar is text, an unused alternative is not evaluated, braces nest
        ("a $ b", "a $ b"),
        ("5$", "5$"),
        ("$(x) $1", "$(x) $1"),
        ("$$$A", "$1"),
        ("${NO:-http://h:${NO:-80}/}", "http://h:80/"),
        ("${NO-$A}", "1"),
        ('${NO:-{"a": {}}}', '{"a": {}}'),
        ("${A:-${NO:?x}}", "1"),
        ("${NO:+${NO:?x}}", ""),
        ("${A:+${A}-$B}", "1-b}"),
        ("${NO:-}}", "}"),
        ("${NO-a-b:-c}", "a-b:-c"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text, filled):
    assert interpolate(text, KNOWN) == filled


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NO:?say it}", "the environment variable NO is required: say it"),
        ("${EMPTY:?}", "the environment variable EMPTY is required"),
        ("${NO?}", "the environment variable NO is required"),
        ("${NO?${A}!}", "the environment variable NO is required: 1!"),
        ("${A", "`${A` is never closed"),
        ("${A:-b", "`${` is never closed"),
        ("${}", "`${` is not followed by a name"),
        ("${A!}", "`${A` is never closed"),
        ("${NO:-" * 70, "variables are nested deeper than 64 levels"),
    ],
)
def test_a_missing_variable_is_reported(text, message):
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


def test_nested_variables_cannot_grow_without_limit():
    with pytest.raises(Unset, match="more than 1,048,576 characters"):
        interpolate("${A}${A}", {"A": "x" * 600_000})


ENV_FILES = [
    ("A=b c  # x\n", {"A": "b c"}),
    ("export A=1", {"A": "1"}),
    ("A =  x", {"A": "x"}),
    ("A=a#b", {"A": "a#b"}),
    ("A=\n\nB=1", {"A": "", "B": "1"}),
    ("# c\n\n  # d\n A=1", {"A": "1"}),
    ('A="x" # c\nB=2', {"A": "x", "B": "2"}),
    ('A="x"B=2', {"A": "x", "B": "2"}),
    ('A="one\ntwo"', {"A": "one\ntwo"}),
    ("A='a\\n$P # x'", {"A": "a\\n$P # x"}),
    ('A="a\\n$P ${NO:-d} \\$P"', {"A": "a\nproc d $P"}),
    ("NOPE\nHOME\nA=1", {"HOME": "/root", "A": "1"}),
    ("A=x\nB=${A}!", {"A": "x", "B": "x!"}),
    ("A.b-c[0]=1", {"A.b-c[0]": "1"}),
    # compose.md D12: as compose-go reads them
    ("A=#s3cret", {"A": "#s3cret"}),
    ("A='it\\'s'", {"A": "it's"}),
    ("P=file\nB=${P}", {"P": "file", "B": "proc"}),
    ("A=pa$", {"A": "pa$"}),
    ("A=a$1b", {"A": "a$1b"}),
    ("A=$(date)", {"A": "$(date)"}),
    ("\ufeffA=1", {"A": "1"}),
    ("KEY: value", {"KEY": "value"}),
    ("456=x", {"456": "x"}),
    ("Ü=1", {"Ü": "1"}),
    ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
    ('A="\\t\\0101\\x41\\q"', {"A": "\tA\\x41\\q"}),
    ("A=x\t#y", {"A": "x\t#y"}),
    ("A=a'b'c", {"A": "a'b'c"}),
    ("A=$$P", {"A": "$P"}),
]


@pytest.mark.parametrize(("text", "variables"), ENV_FILES)
def test_an_env_file_is_read_as_compose_reads_it(text, variables):
    assert read_env_file(text, {"P": "proc", "HOME": "/root"}) == variables


def test_a_raw_one_is_taken_as_it_is():
    assert read_env_file("A='x' # y\n#c\nB=$HOME\n1=\nHOME", {"HOME": "/root"}, raw=True) == {
        "A": "'x' # y",
        "B": "$HOME",
        "1": "",
        "HOME": "/root",
    }


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("A=1\nA b=2", 2, "'A b=2' is not NAME=value"),
        ("A=1\n%=2", 2, "'%=2' is not NAME=value"),
        ("=1", 1, "'=1' is not NAME=value"),
        ("A='x", 1, "unclosed '"),
        ("\nA=${B:?no}", 2, "the environment variable B is required: no"),
    ],
)
def test_a_bad_line_is_named(text, line, message):
    with pytest.raises(BadEnvFile) as caught:
        read_env_file(text, {})
    assert (caught.value.line, caught.value.message) == (line, message)


def test_lines_that_double_one_another_are_stopped():
    text = "A0=xxxxxxxxxx\n" + "".join(f"A{n + 1}=${{A{n}}}${{A{n}}}\n" for n in range(40))
    with pytest.raises(BadEnvFile, match="more than 1,048,576 characters"):
        read_env_file(text, {})


@given(st.text("A=:'\"\\n $#{}\n\t-", max_size=60))
def test_any_env_file_is_read_or_refused(text):
    for raw in (False, True):
        try:
            found = read_env_file(text, {}, raw=raw)
        except BadEnvFile:
            found = {}
        assert all(isinstance(value, str) for value in found.values())
