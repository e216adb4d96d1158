"""Facts and their chain: each fact is one line of canonical JSON that names the line before it.

`seal` makes a fact from a draft, `read_line` reads one back and `check_chain` finds the first broken link.
The store of facts is not known here. `promoter/ledger/facts.py` defines the body of each kind, and `reducer.py`
reads it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Any

from promoter.model.canonical_json import canonical, sha256_hex
from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern
from promoter.model.timestamps import _STAMP, read_stamp, stamp

GENESIS = "sha256:" + "0" * 64
_HEAD_KEYS = frozenset({"seq", "prev", "at", "actor", "kind", "environment", "release"})
_PREV = pattern(r"sha256:[0-9a-f]{64}")


class Kind(StrEnum):
    """The kinds of facts."""

    RELEASED = "released"
    REQUESTED = "requested"
    STARTED = "started"
    STEP_DONE = "step_done"
    PROMOTED = "promoted"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    APPROVED = "approved"
    REJECTED = "rejected"
    VETOED = "vetoed"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    OVERRIDDEN = "overridden"
    DRIFTED = "drifted"
    ATTESTED = "attested"
    EXECUTED = "executed"


_KINDS = {str(kind): kind for kind in Kind}


@dataclass(frozen=True)
class FactDraft:
    """A fact before it is part of the chain. `body` holds the keys of its kind, as plain JSON data."""

    kind: Kind
    actor: str
    environment: str | None = None
    release: str | None = None
    body: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """A fact in the chain. `line` is its exact bytes, without newline; `digest` is the `prev` of the next fact."""

    seq: int
    prev: str
    at: datetime
    actor: str
    kind: Kind
    environment: str | None
    release: str | None
    body: Mapping[str, object]
    line: bytes
    digest: str

    def document(self) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.line)
        return document


@dataclass(frozen=True)
class LedgerHead:
    """The end of a chain: the last sequence number (0 when empty) and the digest of that line."""

    seq: int = 0
    digest: str = GENESIS


def head_of(fact: Fact) -> LedgerHead:
    return LedgerHead(fact.seq, fact.digest)


def seal(draft: FactDraft, head: LedgerHead, at: datetime) -> Fact:
    """Make `draft` the fact that follows `head`."""
    document: dict[str, object] = {
        "seq": head.seq + 1,
        "prev": head.digest,
        "at": stamp(at),
        "actor": draft.actor,
        "kind": str(draft.kind),
    }
    if draft.environment is not None:
        document["environment"] = draft.environment
    if draft.release is not None:
        document["release"] = draft.release
    clash = _HEAD_KEYS & draft.body.keys()
    if clash:
        raise ValueError(f"a fact's body cannot have the keys {sorted(clash)}")
    return read_line(canonical({**document, **draft.body}))


class UnknownKind(ValueError):
    """A fact that only a newer promoter can read."""


def read_line(line: bytes) -> Fact:
    """Read the fact of a line. Raise ValueError if it is not a fact, or not in canonical form (RFC 8785)."""
    try:
        text = line.decode()
        document, plain = _parsed(text)
    except RecursionError:
        raise ValueError("not a fact: nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"not a fact: {error}") from error
    if not isinstance(document, dict):
        raise ValueError("not a fact: not a JSON object")
    fact = _fact(document, line)
    if not (_ENCODER.encode(document) == text if plain else _is_canonical(text, line)):
        raise ValueError("the line is not in canonical form (RFC 8785)")
    return fact


class _Float(Exception):
    """A number that Python and RFC 8785 write differently."""


def _parsed(text: str) -> tuple[Any, bool]:
    """Parse a line, and return whether json's own, faster encoder writes it as RFC 8785 does.

    It does, except for floats, huge numbers, and keys with letters beyond U+FFFF, which UTF-16 sorts differently.
    """
    try:
        return _QUICK.decode(text), not _HUGE.search(text) and (text.isascii() or max(text) <= "\uffff")
    except _Float:
        return _PLAIN.decode(text), False


def _is_canonical(text: str, line: bytes) -> bool:
    try:
        return canonical(_EXACT.decode(text)) == line
    except ValueError:
        return False


def _refuse_float(digits: str) -> float:
    raise _Float(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _number(digits: str) -> int | float:
    """Refuse numbers beyond 2**53: RFC 8785 writes them as floats, some of them in whole digits."""
    return int(digits) if len(digits) <= 15 or abs(int(digits)) < 2**53 else float(digits)


_HUGE = pattern(r"[:\[,]-?[0-9]{16}")
_QUICK = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_refuse_float)
_PLAIN = json.JSONDecoder(parse_constant=_refuse_constant)
_EXACT = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_number)
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _fact(document: dict[str, Any], line: bytes) -> Fact:
    get = document.get
    seq, prev, at, actor, environment, release = (
        get("seq"),
        get("prev"),
        get("at"),
        get("actor"),
        get("environment"),
        get("release"),
    )
    if type(seq) is not int:  # `true` equals 1 in Python, but is not a sequence number
        raise ValueError("not a fact: seq is not a whole number")
    if not (isinstance(prev, str) and _PREV.fullmatch(prev)):
        raise ValueError("not a fact: prev is not a digest")
    if not (isinstance(at, str) and _STAMP.fullmatch(at)):
        raise ValueError("not a fact: at is not a time in UTC with microseconds")
    if not isinstance(actor, str):
        raise ValueError("not a fact: actor is not a text")
    if not all(name is None or isinstance(name, str) for name in (environment, release)):
        raise ValueError("not a fact: environment or release is not a text")
    kind = _KINDS.get(str(get("kind")))
    if kind is None:
        name = str(get("kind"))
        raise UnknownKind(f"unknown kind {name[:40]!r}: the fact was written by a newer promoter")
    body = {k: v for k, v in document.items() if k not in _HEAD_KEYS}
    return Fact(seq, prev, read_stamp(at), actor, kind, environment, release, body, line, f"sha256:{sha256_hex(line)}")


@dataclass(frozen=True)
class BrokenLink:
    """Where a chain is broken: the position in the chain (from 1) and the reason."""

    position: int
    problem: str


def check_chain(lines: Iterable[bytes]) -> Iterator[Fact | BrokenLink]:
    """Yield each fact. End with a BrokenLink at the first line that does not follow the one before it.

    A chain proves every line that another line follows. To check the last line, the caller must compare
    `head_of` the last fact with a head that was stored elsewhere.
    """
    head = LedgerHead()
    for position, line in enumerate(lines, 1):
        link = _link(position, line, head)
        yield link
        if isinstance(link, BrokenLink):
            return
        head = head_of(link)


def _link(position: int, line: bytes, head: LedgerHead) -> Fact | BrokenLink:
    try:
        fact = read_line(line)
    except ValueError as error:
        return BrokenLink(position, str(error))
    problem = misfit(fact, head)
    return fact if problem is None else BrokenLink(position, problem)


def misfit(fact: Fact, head: LedgerHead) -> str | None:
    """Return why `fact` does not follow `head`, or None if it does."""
    if fact.seq != head.seq + 1:
        return f"expected fact {head.seq + 1}, found fact {fact.seq}"
    if fact.prev != head.digest:
        return f"fact {fact.seq} must name {head.digest} as the fact before it, got {fact.prev}"
    return None
