"""Moving a ledger to another home: every fact as it is, so that the chain there is byte for byte that of here."""

from dataclasses import dataclass
from itertools import islice

from promoter.ledger.chain import LedgerHead, head_of
from promoter.ledger.lease import others
from promoter.ledger.ledger import Ledger
from promoter.ledger.store import Gone
from promoter.model.clock import Clock
from promoter.model.errors import CallerError, LeaseHeld, LedgerError

BATCH = 1000
"""Facts that are written at once: what a copy holds in memory, and what is lost when it is cut off."""


@dataclass(frozen=True)
class Copied:
    """`copied` of `facts` were not there before."""

    source: str
    target: str
    facts: int
    copied: int
    head: str

    def document(self) -> dict[str, object]:
        return {"from": self.source, "to": self.target, "facts": self.facts, "copied": self.copied, "head": self.head}


@dataclass(frozen=True)
class Copying:
    """A ledger, and what is to become its copy."""

    pipeline: str
    source: Ledger
    target: Ledger
    clock: Clock
    gone: Gone

    def copy(self) -> Copied:
        """Given again after it was cut off, it carries on. Raises CallerError for a target that holds anything else.

        Leases are not copied: nobody may hold one, before or after. Both ledgers are checked from the first fact.
        """
        self._nobody_promotes()
        self._check_source()
        known = head = self._common()
        while batch := tuple(islice(self.source.following(head), BATCH)):
            self.target.store.restore(batch, head)
            head = head_of(batch[-1])
        self._check_target(head)
        self._nobody_promotes()
        return Copied(self.source.store.location, self.target.store.location, head.seq, head.seq - known.seq, head.digest)

    def _nobody_promotes(self) -> None:
        for ledger in (self.source, self.target):
            for held in others(ledger.store, "", self.clock, self.gone):
                raise LeaseHeld(held.environment, held.owner, f"{held.since:%Y-%m-%d %H:%M:%S} UTC")

    def _check_source(self) -> None:
        here, there = self.source.store.location, self.target.store.location
        if here == there:
            raise CallerError(f"{here} is both the ledger to copy and its copy", hint="name two ledgers: FROM and TO")
        state = self.source.refresh()
        if state.head.seq == 0:
            hint = "the first argument is the ledger to copy, spelled as for --ledger"
            raise CallerError(f"the ledger {here} holds no facts", hint=hint)
        if state.pipeline not in (None, self.pipeline):
            raise CallerError(f"the ledger {here} is that of pipeline {state.pipeline}, not of {self.pipeline}")

    def _common(self) -> LedgerHead:
        """The end of what both have: all of the target, or it is no copy of this ledger."""
        ours, head = self.source.following(LedgerHead()), LedgerHead()
        for theirs in self.target.following(LedgerHead()):
            fact = next(ours, None)
            if fact is None or fact.line != theirs.line:
                what = "which the other does not have" if fact is None else "which is another one there"
                raise CallerError(
                    f"the ledger {self.target.store.location} holds fact {theirs.seq}, {what}: it is no copy of "
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
                f"the copy {self.target.store.location} ends with fact {last.seq}, {last.digest}, and not with fact {head.seq}, "
                f"{head.digest}: somebody writes there",
                hint="let nobody use it yet, and give the same command again",
            )
        self.target.refresh()
