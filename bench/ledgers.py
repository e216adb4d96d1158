"""Short and long ledgers in SQLite: read, appended to, checked."""

import subprocess
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

import gates

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of, seal
from promoter.ledger.reducer import fold

SHORT, MIDDLE, LONG = 1_000, 100_000, 1_000_000
APPENDS = 300
BATCH = 10_000
FILE = """\
name: shop
services: {web: {image: registry.example.com/shop/web}}
environments:
  test: {}
  prod: {gates: [{approval: {min: 2}}]}
"""


class Written(gates.Ledger):
    """Promotions that are written in batches: only the latest are in memory."""

    def __init__(self, path: Path, count: int) -> None:
        super().__init__()
        self._book, self._fresh, self._after = SqliteLedger(path), list[Fact](), LedgerHead()
        self._actor = f"ci-{count}@example.com"  # otherwise all ledgers would begin with the same fact, and be copies of one
        while self.head.seq < count:
            gates.promotion_of(self, gates.release_of(self.head.seq), "sha256:policy")
        self._flush()
        self._book.close()

    def record_fact(self, kind: Kind, environment: str | None, release: str, body: dict[str, object]) -> Fact:
        at = gates.BEGAN + timedelta(minutes=self.head.seq)
        fact = seal(FactDraft(kind, self._actor, environment, release, body), self.head, at)
        self._fresh.append(fact)
        self.facts = [*self.facts[-99:], fact]
        if len(self._fresh) == BATCH:
            self._flush()
        return fact

    def _flush(self) -> None:
        self._book.restore(self._fresh, self._after)
        self._after, self._fresh = self.head, []


def make(where: Path) -> dict[int, Path]:
    """Create a pipeline in `where` with a ledger of each length."""
    (where / "pipeline.yaml").write_text(FILE)
    found = {}
    for count in (SHORT, MIDDLE, LONG):
        found[count] = where / f"{count}.db"
        Written(found[count], count)
    return found


def appends(ledgers: dict[int, Path]) -> dict[str, list[float]]:
    """Return the seconds of each durable append, including the fold of its fact."""
    times = {}
    for count in (SHORT, LONG):
        book = SqliteLedger(ledgers[count])
        state = fold(book.read())
        draft = FactDraft(Kind.PINNED, "ci@example.com", "prod", None, {"reason": "bench"})
        taken = times[f"append to {count:,} facts"] = list[float]()
        for _ in range(APPENDS):
            start = time.perf_counter()
            fact = book.append(draft, state.head, gates.BEGAN)
            state = fold((fact,), state)
            taken.append(time.perf_counter() - start)
        assert state.head == head_of(fact)
        book.close()
    return times


def lines(times: dict[str, list[float]]) -> list[str]:
    return [
        f"{name:<36} {median(values) * 1000:8.3f} ms  {1 / median(values):8.0f} durable appends a second"
        for name, values in times.items()
    ]


def commands(command: str, ledgers: dict[int, Path]) -> dict[str, list[str]]:
    """Return the commands to measure. The first `status`, which fills the cache, runs here and is not measured."""
    found = {f"status of {count:,} facts": _promoter(command, ledgers[count], "status") for count in (SHORT, LONG)}
    for argv in found.values():
        subprocess.run(argv, cwd=ledgers[SHORT].parent, capture_output=True, check=True)
    export = ledgers[MIDDLE].with_suffix(".jsonl")
    with export.open("wb") as file:
        subprocess.run(_promoter(command, ledgers[MIDDLE], "ledger", "export"), cwd=export.parent, stdout=file, check=True)
    found[f"verify {MIDDLE:,} facts"] = _promoter(command, ledgers[MIDDLE], "ledger", "verify")
    found["sha256sum"] = ["sha256sum", str(export)]
    return found


def _promoter(command: str, ledger: Path, *words: str) -> list[str]:
    return [command, "--ledger", f"sqlite:{ledger}", *words]
