"""Impossible facts: each fact is checked against the facts before it.

A chain proves that no fact was changed; it does not prove that a fact is possible. An impossible fact
is ignored, and `ledger verify` reports it.
"""

import json
from collections.abc import Callable
from dataclasses import field
from typing import Any, Protocol

from promoter.ledger.chain import Fact, Kind
from promoter.model.canonical_json import sha256_hex
from promoter.model.dataclass import dataclass
from promoter.model.release import Release

_OF_A_START = frozenset({Kind.STEP_DONE, Kind.PROMOTED, Kind.FAILED, Kind.ROLLED_BACK})
_OF_A_RELEASE = frozenset({Kind.REQUESTED, Kind.STARTED, Kind.APPROVED, Kind.REJECTED, Kind.OVERRIDDEN})
_EARLIER = {Kind.REQUESTED: "from", Kind.ROLLED_BACK: "to"}
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, AssertionError)
"""Errors that reading an incomplete body of a fact raises."""


class Active(Protocol):
    """A promotion that was started and has not ended."""

    @property
    def promotion(self) -> str: ...

    @property
    def release(self) -> str: ...


class Impossible(Exception):
    """Why a fact is impossible, as the end of a sentence that names it."""


def check(fact: Fact, known: Callable[[str], object], active: Active | None) -> None:
    """Check a fact. Raise Impossible. `known` tests for a release; `active` is the active promotion of the environment."""
    kind = fact.kind
    if kind in _OF_A_START:
        if active is None:
            raise Impossible(f"promotion {fact.body.get('promotion')} is not running in {fact.environment}")
        promotion = fact.body["promotion"]
        if active.promotion != promotion:
            raise Impossible(f"promotion {promotion} is not running in {fact.environment}")
        if fact.release is not None and fact.release != active.release:
            raise Impossible(f"promotion {promotion} is for release {active.release[:12]}, not for {fact.release[:12]}")
    elif kind not in _OF_A_RELEASE and not (kind is Kind.ATTESTED and "reviews" in fact.body):
        return
    elif fact.release is not None and not known(fact.release):
        raise Impossible(f"release {fact.release[:12]} was never recorded")
    earlier = fact.body.get(_EARLIER.get(kind, ""))
    if isinstance(earlier, str) and not known(earlier):
        raise Impossible(f"release {earlier[:12]} was never recorded")


def read_release(fact: Fact) -> Release:
    """Return the release that a fact records. Raise Impossible if its id does not match its content."""
    content: Any = fact.body["content"]
    release = Release.read(content)
    text = json.dumps(release.content(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if (
        sha256_hex(text.encode()) != fact.release and release.id != fact.release
    ):  # the first test is faster, and nearly always enough
        raise Impossible(f"its content belongs to release {release.short_id}")
    return release


@dataclass(frozen=True)
class _Start:
    promotion: str
    release: str


@dataclass
class Consistency:
    """Checks a whole ledger, without computing its state."""

    _releases: set[str] = field(default_factory=set)
    _starts: dict[str | None, _Start] = field(default_factory=dict)

    def take(self, fact: Fact) -> str | None:
        """Return why a fact is impossible; None if it is possible."""
        try:
            check(fact, self._releases.__contains__, self._starts.get(fact.environment))
            self._follow(fact)
        except Impossible as why:
            return f"fact {fact.seq} ({fact.kind}) is impossible: {why}"
        except MALFORMED as error:
            return f"fact {fact.seq} ({fact.kind}) has an invalid body: {error}"
        return None

    def _follow(self, fact: Fact) -> None:
        match fact.kind:
            case Kind.RELEASED if fact.release not in self._releases:
                read_release(fact)
                self._releases.add(str(fact.release))
            case Kind.STARTED:
                self._starts[fact.environment] = _Start(str(fact.body["promotion"]), str(fact.release))
            case Kind.PROMOTED | Kind.FAILED | Kind.ROLLED_BACK:
                del self._starts[fact.environment]
