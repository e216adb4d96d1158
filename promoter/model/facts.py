"""Facts and their chain: one thing that happened is one line of canonical JSON that names the line before it.

`seal` makes a fact from a draft, `read_line` reads one back and `check_chain` finds the first broken link.
Where facts are kept is not known here.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from promoter.model.canonical import canonical, sha256_hex

GENESIS = "sha256:" + "0" * 64
_HEAD_KEYS = ("seq", "prev", "at", "actor", "kind", "environment", "release")


class Kind(StrEnum):
    """What can have happened."""

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


@dataclass(frozen=True, slots=True)
class Draft:
    """A fact before it has its place in the chain. `body` holds what its kind adds, as plain JSON data."""

    kind: Kind
    actor: str
    environment: str | None = None
    release: str | None = None
    body: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact in its place. `line` is its exact bytes, without newline; `digest` is what the next one's `prev` says."""

    seq: int
    prev: str
    at: datetime
    actor: str
    kind: Kind
    environment: str | None
    release: str | None
    body: Mapping[str, object]
    line: bytes

    @property
    def digest(self) -> str:
        return f"sha256:{sha256_hex(self.line)}"

    def document(self) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.line)
        return document


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: the last sequence number (0 when empty) and the digest of that line."""

    seq: int = 0
    digest: str = GENESIS


def head_of(fact: Fact) -> Head:
    return Head(fact.seq, fact.digest)


def stamp(at: datetime) -> str:
    """RFC 3339, UTC, microseconds: `2026-11-23T18:20:11.123456Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_stamp(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def seal(draft: Draft, head: Head, at: datetime) -> Fact:
    """The fact that `draft` becomes right after `head`."""
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
    clash = document.keys() & draft.body.keys()
    if clash:
        raise ValueError(f"a fact's body may not hold {sorted(clash)}")
    return read_line(canonical({**document, **draft.body}))


def read_line(line: bytes) -> Fact:
    """The fact that a line holds. Raises ValueError when it is not one."""
    try:
        document = json.loads(line)
        body = {k: v for k, v in document.items() if k not in _HEAD_KEYS}
        return Fact(
            document["seq"], document["prev"], read_stamp(document["at"]), document["actor"], Kind(document["kind"]),
            document.get("environment"), document.get("release"), body, line,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise ValueError(f"not a fact: {error}") from error


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """Where a chain breaks: the place in the chain (from 1) and what is wrong there."""

    place: int
    problem: str


def check_chain(lines: Iterable[bytes]) -> Iterator[Fact | BrokenLink]:
    """Yields each fact; ends with a BrokenLink at the first line that does not follow the one before it."""
    head = Head()
    for place, line in enumerate(lines, 1):
        try:
            fact = read_line(line)
        except ValueError as error:
            yield BrokenLink(place, str(error))
            return
        if fact.seq != head.seq + 1:
            yield BrokenLink(place, f"fact {head.seq + 1} is due here and fact {fact.seq} stands here")
            return
        if fact.prev != head.digest:
            yield BrokenLink(place, f"fact {fact.seq} names {fact.prev} before it, but that line's digest is {head.digest}")
            return
        head = head_of(fact)
        yield fact
