"""Power cuts and kills with the SQLite ledger: every appended fact is there, and the chain is complete.

A writer is killed between a write and its sync, in each of both files. A power cut may lose any part of what was written and
not synced: the tests do that to copies.
"""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import Fact, check_chain
from promoter.ledger.testing import write
from tests.adapters.ledgers.dying_writer import NO_FILTER
from tests.conftest import ROOT

SECTOR = 512
SEED = int(os.environ.get("PROMOTER_TEST_SEED", random.randrange(1 << 32)))
MOMENTS = [("pwrite", "wal"), ("sync", "wal"), ("pwrite", "db"), ("sync", "db")]


def killed(call: str, file: str, path: Path) -> list[bytes]:
    """Return the lines that were appended before the writer was killed at that call."""
    command = [sys.executable, "-m", "tests.adapters.ledgers.dying_writer", call, file, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
    if done.returncode == NO_FILTER:
        pytest.skip("the kernel of this machine filters no system calls")
    assert done.returncode == -signal.SIGSYS, (done.returncode, done.stdout, done.stderr)
    return done.stdout.splitlines()


def whole(path: Path, answered: list[bytes], where: str) -> None:
    """Check that at most one unfinished fact follows the appended ones, and that the ledger can be appended to."""
    ledger = SqliteLedger(path)
    lines = list(ledger.lines())
    assert lines[: len(answered)] == answered, where
    assert len(lines) <= len(answered) + 1, where
    assert write(ledger, 1)[0].seq == len(lines) + 1, where
    assert all(isinstance(fact, Fact) for fact in check_chain(ledger.lines())), where
    ledger.close()


@pytest.mark.parametrize(("call", "file"), MOMENTS)
def test_a_writer_that_is_killed_between_write_and_sync_loses_nothing_that_was_answered(
    tmp_path: Path, call: str, file: str
) -> None:
    answered = killed(call, file, tmp_path / "ledger.db")
    assert len(answered) == 3
    whole(tmp_path / "ledger.db", answered, f"killed at {call} of {file}")


@pytest.mark.parametrize("file", ["wal", "db"])
def test_what_was_written_and_not_synced_may_be_lost_in_any_part(tmp_path: Path, file: str) -> None:
    """A disk writes its sectors in any order: of those that differ, some have the old content and some the new."""
    answered = killed("sync", file, tmp_path / "ledger.db")
    names = ["ledger.db", "ledger.db-wal"]  # the power cut removes the shared memory
    new = {name: (tmp_path / name).read_bytes() for name in names}
    torn = "ledger.db" if file == "db" else "ledger.db-wal"
    old = (tmp_path / f"{torn}.synced").read_bytes()
    assert new[torn] != old
    chance = random.Random(SEED)
    for turn in range(40):
        directory = tmp_path / f"turn-{turn}"
        directory.mkdir()
        for name in names:
            (directory / name).write_bytes(mixed(old, new[name], chance, turn) if name == torn else new[name])
        whole(directory / "ledger.db", answered, f"turn {turn}, PROMOTER_TEST_SEED={SEED}")


def mixed(old: bytes, new: bytes, chance: random.Random, turn: int) -> bytes:
    """Mix sectors. Every second time, cut off the end too: the new length of the file may be lost as well."""
    sectors = range(0, len(new), SECTOR)
    text = b"".join((new if chance.random() < 0.5 else old.ljust(len(new), b"\0"))[at : at + SECTOR] for at in sectors)
    return text[: chance.randint(len(old), len(new))] if turn % 2 else text


def lived(writer: "subprocess.Popen[bytes]", span: float) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        writer.wait(timeout=span)


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import FactDraft, LedgerHead, Kind, head_of
ledger, head = SqliteLedger(Path(sys.argv[1])), LedgerHead()
for fact in ledger.read():
    head = head_of(fact)
while True:
    fact = ledger.append(FactDraft(Kind.STEP_DONE, "ana@example.com", body={"note": "x" * 2000}), head, datetime.now(UTC))
    head = head_of(fact)
    print(fact.line.decode(), flush=True)
"""


def test_a_writer_that_is_killed_at_any_instant_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """Also while the log is written back into the file, which happens again and again here."""
    path, chance, answered = tmp_path / "ledger.db", random.Random(SEED), list[bytes]()
    for turn in range(8):
        span = chance.uniform(0, 0.3)
        with (
            (tmp_path / "said").open("wb") as output,
            subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=output) as writer,
        ):
            while not (tmp_path / "said").stat().st_size and writer.poll() is None:
                lived(writer, 0.01)
            lived(writer, span)
            writer.kill()
        answered += [line for line in (tmp_path / "said").read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        lines = [line + b"\n" for line in SqliteLedger(path).lines()]
        where = f"turn {turn}, killed after {span:.3f} s, PROMOTER_TEST_SEED={SEED}"
        assert lines[: len(answered)] == answered, where
        assert len(lines) <= len(answered) + 1, where
        assert all(isinstance(fact, Fact) for fact in check_chain(SqliteLedger(path).lines())), where
        answered = lines
    assert len(answered) > 8
