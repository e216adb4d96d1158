import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.ledger.chain import GENESIS, BrokenLink, Fact, FactDraft, Kind, LedgerHead, check_chain, head_of, read_line, seal
from promoter.model.canonical_json import canonical
from promoter.model.timestamps import stamp

AT = datetime(2026, 11, 23, 18, 20, 11, 123456, tzinfo=UTC)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(texts, v, max_size=3),
    max_leaves=5,
)
drafts = st.builds(
    FactDraft,
    st.sampled_from(Kind),
    texts,
    st.none() | texts,
    st.none() | texts,
    st.dictionaries(
        texts.filter(lambda key: key not in {"seq", "prev", "at", "actor", "kind", "environment", "release"}), values, max_size=3
    ),
)


def chain(drafts: "list[FactDraft]") -> list[Fact]:
    head, facts = LedgerHead(), []
    for draft in drafts:
        facts.append(seal(draft, head, AT))
        head = head_of(facts[-1])
    return facts


PLAIN = [f.line for f in chain([FactDraft(Kind.STEP_DONE, "ana@example.com", "dev", body={"n": n}) for n in range(4)])]


def first_break(lines: "list[bytes]") -> BrokenLink | None:
    return next((link for link in check_chain(lines) if isinstance(link, BrokenLink)), None)


def test_a_fact_is_one_line_that_others_can_check():
    fact = seal(FactDraft(Kind.PROMOTED, "ana@example.com", "test", "a" * 64, {"gap_ms": 3}), LedgerHead(), AT)
    assert fact.line == (
        b'{"actor":"ana@example.com","at":"2026-11-23T18:20:11.123456Z","environment":"test","gap_ms":3,"kind":"promoted","prev":"'
        + GENESIS.encode()
        + b'","release":"'
        + b"a" * 64
        + b'","seq":1}'
    )
    assert fact.digest == "sha256:" + hashlib.sha256(fact.line).hexdigest()
    assert seal(FactDraft(Kind.FAILED, "ana"), head_of(fact), AT).prev == fact.digest


def test_times_are_written_in_utc():
    east = datetime(2026, 11, 23, 20, 20, 11, tzinfo=timezone(timedelta(hours=2)))
    assert stamp(east) == "2026-11-23T18:20:11.000000Z"


@pytest.mark.parametrize("key", ["seq", "prev", "at", "actor", "kind", "environment", "release"])
def test_a_body_cannot_pose_as_the_head_of_its_fact(key):
    with pytest.raises(ValueError, match=key):
        seal(FactDraft(Kind.FAILED, "ana", body={key: "x"}), LedgerHead(), AT)


@given(st.lists(drafts, max_size=5))
def test_what_was_sealed_reads_back_as_an_unbroken_chain(drafts):
    facts = chain(drafts)
    assert list(check_chain(f.line for f in facts)) == facts
    for draft, fact in zip(drafts, facts, strict=True):
        assert (fact.kind, fact.actor, fact.environment, fact.release) == (
            draft.kind,
            draft.actor,
            draft.environment,
            draft.release,
        )
        assert fact.body == json.loads(canonical(draft.body))
        assert fact.at == AT


@given(st.data())
def test_any_edit_of_any_line_is_found(data):
    """By the chain itself, except for the last line: its digest is in the head, which is stored elsewhere too."""
    facts = chain(data.draw(st.lists(drafts, min_size=1, max_size=5)))
    lines = [fact.line for fact in facts]
    position = data.draw(st.integers(0, len(lines) - 1))
    line = lines[position]
    begin = data.draw(st.integers(0, len(line)))
    end = data.draw(st.integers(begin, min(len(line), begin + 8)))
    lines[position] = line[:begin] + data.draw(st.binary(max_size=8)) + line[end:]
    if lines[position] == line:
        assert first_break(lines) is None
    elif (broken := first_break(lines)) is not None:
        assert broken.position in {position + 1, position + 2}
    else:
        assert position == len(lines) - 1
        assert head_of(read_line(lines[-1])) != head_of(facts[-1])


@given(st.lists(st.sampled_from(PLAIN), max_size=5))
def test_only_a_beginning_of_the_chain_is_a_chain(lines):
    assert (first_break(lines) is None) == (lines == PLAIN[: len(lines)])


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ([PLAIN[0], PLAIN[2]], "expected fact 2, found fact 3"),
        ([PLAIN[1]], "expected fact 1, found fact 2"),
        ([PLAIN[0], PLAIN[0]], "expected fact 2, found fact 1"),
        ([PLAIN[0].replace(b"ana", b"eve"), PLAIN[1]], "as the fact before it, got sha256:"),
        ([PLAIN[0].replace(b'"seq":1', b'"seq":true')], "seq is not a whole number"),
        ([PLAIN[0].replace(b'"seq":1', b'"seq":1.0')], "seq is not a whole number"),
        ([PLAIN[0].replace(b"{", b"{ ", 1)], "canonical"),
        ([PLAIN[0].replace(b'"n":0', b'"n":0,"n":0')], "canonical"),
        ([PLAIN[0].replace(b'"n":0', b'"n":1e0')], "canonical"),
        ([PLAIN[0].replace(b'"n":0', b'"n":NaN')], "NaN is not JSON"),
        ([PLAIN[0].replace(b'"n":0', b'"m":1.0,"n":1' + b"0" * 400)], "canonical"),
        ([PLAIN[0].replace(b'"n":0', b'"n":"\\ud800"')], "canonical"),
        ([PLAIN[0].replace(b"ana", b"\xff")], "not a fact"),
        ([PLAIN[0].decode().encode("utf-16")], "not a fact"),
        ([PLAIN[0].replace(b"123456Z", b"123456")], "at is not a time"),
        ([PLAIN[0].replace(b"2026-11", b"2026-13")], "month"),
        ([PLAIN[0].replace(b"step_done", b"danced")], "unknown kind 'danced': the fact was written by a newer promoter"),
        ([PLAIN[0].replace(b'"dev"', b"7")], "environment or release is not a text"),
        ([PLAIN[0].replace(b'"ana@example.com"', b"null")], "actor is not a text"),
        ([PLAIN[0].replace(b"sha256:0", b"sha512:0")], "prev is not a digest"),
        ([b""], "not a fact"),
        ([b"[]"], "not a JSON object"),
        ([b"[" * 100_000], "nested too deeply"),
    ],
)
def test_a_broken_link_is_reported_with_its_position(broken, message):
    found = list(check_chain(broken))
    assert isinstance(found[-1], BrokenLink)
    assert found[-1].position == len(found) == len(broken)
    assert message in found[-1].problem


def test_a_digit_more_or_less_in_a_number_is_canonical_all_the_same():
    fact = seal(FactDraft(Kind.FAILED, "ana", body={"huge": 1e20, "tiny": 1e-7, "half": 0.5, "one": 1.0}), LedgerHead(), AT)
    assert list(check_chain([fact.line])) == [fact]
    assert json.loads(fact.line)["one"] == 1
