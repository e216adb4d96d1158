"""The ledger: whether it answers, is writable, and has not lost facts that this machine saw."""

from collections.abc import Iterator

from promoter.adapters.diagnostics.finding import Finding, tried
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.ledgers.open import open_ledger
from promoter.adapters.ledgers.trusted_head import FileWitness
from promoter.adapters.ledgers.write_check import try_to_write
from promoter.ledger.chain import LedgerHead, head_of
from promoter.ledger.store import LedgerStore


def check(subject: Subject) -> Iterator[Finding]:
    yield tried("ledger", lambda: _ledger(subject))
    if subject.loaded is not None:
        yield from _witness(subject)


def _ledger(subject: Subject) -> str:
    ledger = open_ledger(subject.ledger_url, subject.directory, subject.name, subject.ledger_token)
    try:
        first = next(iter(ledger.read()), None)
    finally:
        ledger.close()
    how = try_to_write(subject.ledger_url, subject.directory, subject.name, subject.ledger_token)
    written = "not known to be writable until the first fact" if how is None else f"writable ({how})"
    return f"{ledger.location} {'answers' if first else 'has no facts yet'}, {written}"


def _witness(subject: Subject) -> Iterator[Finding]:
    """Read only the facts after the trusted head; `ledger verify` checks the chain from the first fact."""
    ledger = open_ledger(subject.ledger_url, subject.directory, subject.name, subject.ledger_token)
    try:
        first = next(iter(ledger.read()), None)
        known = FileWitness(subject.directory / ".promoter", ledger.location).entries()
        names = (ledger.location, first.digest if first else "")
        seen = max((known[name] for name in names if name in known), key=lambda head: head.seq, default=None)
        if seen is not None:
            yield compared(seen, _ends(ledger, seen))
    finally:
        ledger.close()


def _ends(ledger: LedgerStore, seen: LedgerHead) -> tuple[LedgerHead | None, LedgerHead | None]:
    """Return the fact at the trusted head as it is now, and the last fact now."""
    there, last = None, None
    for fact in ledger.read(max(0, seen.seq - 1)):
        last = head_of(fact)
        there = there or last
    return there, last


def compared(seen: LedgerHead, found: tuple[LedgerHead | None, LedgerHead | None]) -> Finding:
    there, last = found
    if there is None or last is None:
        return Finding(
            "witness",
            False,
            True,
            f"this machine saw {seen.seq} facts, but the ledger ends earlier",
            "an old copy was restored, or facts were removed: restore the complete ledger",
        )
    if seen.seq and there.digest != seen.digest:
        return Finding(
            "witness",
            False,
            True,
            f"fact {seen.seq} is not the one that this machine saw",
            "this is another ledger, or it was rewritten: run promoter ledger verify",
        )
    return Finding("witness", True, True, f"ledger unchanged since last use; fact {last.seq}, head {last.digest}")
