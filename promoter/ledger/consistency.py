"""Facts that cannot be: each is held against those before it, whoever wrote it.

A chain says that nothing was changed since; it does not say that what was written can have happened. A fact that cannot be
is passed over by everybody, and `ledger verify` names it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from promoter.ledger.chain import Fact, Kind
from promoter.model.canonical_json import sha256_hex
from promoter.model.release import Release

_OF_A_START = frozenset({Kind.STEP_DONE, Kind.PROMOTED, Kind.FAILED, Kind.ROLLED_BACK})
_OF_A_RELEASE = frozenset({Kind.REQUESTED, Kind.STARTED, Kind.APPROVED, Kind.REJECTED, Kind.OVERRIDDEN})
_EARLIER = {Kind.REQUESTED: "from", Kind.ROLLED_BACK: "to"}
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, AssertionError)
"""What reading the body of a fact raises when it says too little."""


class Begun(Protocol):
    """A promotion that was started and has not ended."""

    @property
    def promotion(self) -> str: ...

    @property
    def release(self) -> str: ...


class Impossible(Exception):
    """Why a fact cannot be, as an end of the sentence that names it."""


def check(fact: Fact, known: Callable[[str], object], begun: Begun | None) -> None:
    """Raises Impossible. `known` says whether there is such a release; `begun` is what has begun in its environment."""
    kind = fact.kind
    if kind in _OF_A_START:
        if begun is None:
            raise Impossible(f"promotion {fact.body.get('promotion')} is not under way in {fact.environment}")
        promotion = fact.body["promotion"]
        if begun.promotion != promotion:
            raise Impossible(f"promotion {promotion} is not under way in {fact.environment}")
        if fact.release is not None and fact.release != begun.release:
            raise Impossible(f"promotion {promotion} is one of release {begun.release[:12]}, not of {fact.release[:12]}")
    elif kind not in _OF_A_RELEASE and not (kind is Kind.ATTESTED and "reviews" in fact.body):
        return
    elif fact.release is not None and not known(fact.release):
        raise Impossible(f"release {fact.release[:12]} was never made")
    earlier = fact.body.get(_EARLIER.get(kind, ""))
    if isinstance(earlier, str) and not known(earlier):
        raise Impossible(f"release {earlier[:12]} was never made")


def read_release(fact: Fact) -> Release:
    """The release that a fact records. Raises Impossible when it is recorded under the id of another content."""
    release = Release.read(fact.body["content"])  # type: ignore[arg-type]
    text = json.dumps(release.content(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    if sha256_hex(text.encode()) != fact.release and release.id != fact.release:  # the first is quick, and nearly always right
        raise Impossible(f"its content is that of release {release.short_id}")
    return release


@dataclass(frozen=True, slots=True)
class _Start:
    promotion: str
    release: str


@dataclass
class Consistency:
    """The same for a whole ledger, without the state that it comes to."""

    _releases: set[str] = field(default_factory=set)
    _begun: dict[str | None, _Start] = field(default_factory=dict)

    def take(self, fact: Fact) -> str | None:
        """Why it cannot be, if it cannot."""
        try:
            check(fact, self._releases.__contains__, self._begun.get(fact.environment))
            self._follow(fact)
        except Impossible as why:
            return f"fact {fact.seq} ({fact.kind}) cannot be: {why}"
        except MALFORMED as error:
            return f"fact {fact.seq} ({fact.kind}) does not hold what it should: {error}"
        return None

    def _follow(self, fact: Fact) -> None:
        match fact.kind:
            case Kind.RELEASED if fact.release not in self._releases:
                read_release(fact)
                self._releases.add(str(fact.release))
            case Kind.STARTED:
                self._begun[fact.environment] = _Start(str(fact.body["promotion"]), str(fact.release))
            case Kind.PROMOTED | Kind.FAILED | Kind.ROLLED_BACK:
                del self._begun[fact.environment]
