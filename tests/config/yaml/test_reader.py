import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.config.yaml.positions import Position
from promoter.config.yaml.reader import read_document
from promoter.config.yaml.scalars import Tagged
from promoter.model.errors import InvalidFile


def data(text: str):
    return read_document(text.encode(), "f.yaml").data


def fault(text: str | bytes) -> str:
    with pytest.raises(InvalidFile) as caught:
        read_document(text if isinstance(text, bytes) else text.encode(), "f.yaml")
    return "; ".join(f"{c.line}:{c.column} {c.message}" for c in caught.value.complaints)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("22:22", "22:22"),
        ("2026-12-18", "2026-12-18"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-7", -7),
        ("1.50", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("!!int '3'", 3),
    ],
)
def test_scalars_have_the_types_of_the_core_schema(written, meant):
    found = data(f"a: {written}")["a"]
    assert found == meant
    assert isinstance(found, type(meant))


@pytest.mark.parametrize("written", ["012", "0x1F", "1.10", "+5", "1e3", "007"])
def test_a_number_as_text_is_what_was_written(written):
    assert str(data(f"a: {written}")["a"]) == written


def test_keys_are_texts():
    assert list(data("8080: a\ntrue: b\nnull: c\n1.10: d\n")) == ["8080", "true", "null", "1.10"]


def test_merge_keys_do_not_replace_existing_keys():
    found = data("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc: {y: 0, <<: [*a, *b]}\nd: {<<: *a}\ne: {'<<': 1}\n")
    assert found["c"] == {"y": 0, "x": 1, "z": 4}
    assert found["d"] == {"x": 1, "y": 2}
    assert found["e"] == {"<<": 1}


def test_tags_of_compose_are_kept_in_the_data():
    assert data("a: !reset null\nb: !override [1]\n") == {"a": Tagged("reset", None), "b": Tagged("override", [1])}


def test_positions_are_those_of_keys_and_values():
    document = read_document("\ufeffä: é\nb:\n  - x\n  - {c: &n {d: 1}}\ne: *n\nf: {<<: *n}\n".encode(), "f.yaml")
    assert document.position(("ä",)) == Position(1, 4)
    assert document.position(("b", 1, "c", "d")) == Position(4, 16)
    assert document.position(("b", 1, "c"), of_key=True) == Position(4, 6)
    assert document.position(("e", "d")) == Position(4, 16)
    assert document.position(("f", "d"), of_key=True) == Position(4, 13)
    assert document.position(("b", 7)) == Position(2, 1).__class__(3, 3)
    assert document.position(("nothing",)) == Position(1, 1)
    assert document.has(("b", 0)) and not document.has(("b", 2))
    assert document.at(("b", 1, "c")) == {"d": 1} and document.at(("b", "x")) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb: 2\na: 3\nb: 4",
            "3:1 duplicate key `a`; the first is on line 1; 4:1 duplicate key `b`; the first is on line 2",
        ),
        ("a: &x [*x]", "1:8 *x is inside its own anchor"),
        ("? [a]\n: b", "1:3 a key must be a string"),
        ("a: !foo 1\nb: !!int x", "1:4 unknown tag !foo; 2:4 'x' does not match its tag !!int"),
        ("a: {<<: 3}", "1:9 `<<` must be a mapping or a list of mappings, got the number 3"),
        ("a: \x01", "1:4 the control character U+0001 is not allowed"),
        ("key: @x", "1:6 invalid YAML: found character that cannot start any token while scanning for the next token"),
        ("a: b: c", "1:5 invalid YAML: mapping values are not allowed in this context"),
        ("a: 1\n\tb: 2", "2:1 tabs are not allowed for indentation"),
        ("é: 1\r\nb: 2\r\na: \xff".encode("latin-1"), "1:1 byte 0xe9 is not UTF-8"),
        (b"a: 1\r\nb: \xc3\xa9\xff", "2:5 byte 0xff is not UTF-8"),
        (b"x" * 17_000_000, "1:1 the file has 17 MB; the limit is 16 MiB"),
    ],
)
def test_invalid_yaml_is_reported(text, message):
    assert fault(text) == message


@pytest.mark.slow
def test_a_file_of_too_many_values_is_refused():
    assert fault("a: [" + "1," * 500_001 + "]").endswith("the file holds more than 500,000 values")


def test_a_thousand_faults_are_cut_short():
    assert fault("a: 1\n" * 1000).count("duplicate key") == 100


TEXT = st.text(
    st.characters(max_codepoint=0xFFFF, exclude_categories=("Cs",)), max_size=40
)  # JSON writes each as one escape; a key has a limit in YAML
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT, JSON, min_size=1, max_size=4))
def test_json_is_read_as_json_reads_it(value):
    assert read_document(json.dumps(value).encode(), "f").data == value


@given(st.binary(max_size=200) | st.text("abc:-[]{}#&*!|>'\" \n\t%@`,?<", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_complained_about(value):
    try:
        assert isinstance(read_document(value, "f").data, dict)
    except InvalidFile as faults:
        first = faults.complaints[0]
        lines = value.decode("utf-8-sig", "replace").replace("\r\n", "\n").split("\n")
        assert 1 <= first.line <= len(lines) + 1
