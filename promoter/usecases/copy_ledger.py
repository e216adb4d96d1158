"""Copy a ledger to another store. The chain of the copy is byte for byte the same."""

from itertools import islice

from promoter.ledger.chain import LedgerHead, head_of
from promoter.ledger.lease import others
from promoter.ledger.ledger import Ledger
from promoter.ledger.store import Gone
from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError, LeaseHeld, LedgerError

BATCH = 1000
"""The number of facts that are written at once and held in memory; an interruption loses at most these."""


@dataclass(frozen=True)
class Copied:
    """`copied` of `facts` are new in the copy."""

    source: str
    target: str
    facts: int
    copied: int
    head: str

    def document(self) -> dict[str, object]:
        return {"from": self.source, "to": self.target, "facts": self.facts, "copied": self.copied, "head": self.head}


@dataclass(frozen=True)
class Copying:
    """A ledger and its future copy."""

    pipeline: str
    source: Ledger
    target: Ledger
    clock: Clock
    gone: Gone

    def copy(self) -> Copied:
        """Copy the facts; continue after an interruption. Raise CallerError for a target that holds anything else.

        Leases are not copied: none may be held, before or after. Both ledgers are verified from the first fact.
        """
        self._require_no_leases()
        self._check_source()
        known = head = self._common()
        while batch := tuple(islice(self.source.following(head), BATCH)):
            self.target.store.restore(batch, head)
            head = head_of(batch[-1])
        self._check_target(head)
        self._require_no_leases()
        return Copied(self.source.store.location, self.target.store.location, head.seq, head.seq - known.seq, head.digest)

    def _require_no_leases(self) -> None:
        for ledger in (self.source, self.target):
            for held in others(ledger.store, "", self.clock, self.gone):
                raise LeaseHeld(held.environment, held.owner, f"{held.since:%Y-%m-%d %H:%M:%S} UTC")

    def _check_source(self) -> None:
        source, target = self.source.store.location, self.target.store.location
        if source == target:
            raise CallerError(f"{source} is both source and target", hint="name two different ledgers: FROM and TO")
        state = self.source.refresh()
        if state.head.seq == 0:
            hint = "the first argument is the ledger to copy, written as for --ledger"
            raise CallerError(f"the ledger {source} holds no facts", hint=hint)
        if state.pipeline not in (None, self.pipeline):
            raise CallerError(f"the ledger {source} belongs to pipeline {state.pipeline}, not to {self.pipeline}")

    def _common(self) -> LedgerHead:
        """Return the last common fact: the end of the target, unless it is no copy of this ledger."""
        ours, head = self.source.following(LedgerHead()), LedgerHead()
        for theirs in self.target.following(LedgerHead()):
            fact = next(ours, None)
            if fact is None or fact.line != theirs.line:
                what = "which the source does not have" if fact is None else "which differs in the source"
                raise CallerError(
                    f"the ledger {self.target.store.location} holds fact {theirs.seq}, {what}: it is not a copy of "
                    f"{self.source.store.location}",
                    hint="copy into an empty ledger, or into an older copy of this one; nothing was written",
                )
            head = head_of(fact)
        return head

    def _check_target(self, head: LedgerHead) -> None:
        last = LedgerHead()
        for fact in self.target.following(LedgerHead()):
            last = head_of(fact)
        if last != head:
            raise LedgerError(
                f"the copy {self.target.store.location} ends with fact {last.seq}, {last.digest}, expected fact {head.seq}, "
                f"{head.digest}: another process writes to it",
                hint="stop all other use of the copy, then run the same command again",
            )
        self.target.refresh()
