import ctypes
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from promoter.adapters.ledgers.open import open_ledger
from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import FactDraft, Kind, LedgerHead, check_chain
from promoter.ledger.store import Lease
from promoter.ledger.testing import MINUTE, NOW, LedgerContract, write
from promoter.model.errors import CallerError, LedgerError

DRAFT = FactDraft(Kind.STEP_DONE, "ana@example.com", body={"note": "x" * 4000})
RACER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.model.errors import HeadMoved
from promoter.ledger.chain import FactDraft, LedgerHead, Kind, head_of
ledger, head, done = SqliteLedger(Path(sys.argv[1])), LedgerHead(), 0
while done < 25:
    for fact in ledger.read(head.seq):
        head = head_of(fact)
    try:
        head = head_of(ledger.append(FactDraft(Kind.STEP_DONE, sys.argv[2], body={"n": done}), head, datetime.now(UTC)))
    except HeadMoved:
        continue
    done += 1
"""
WRITER = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.model.errors import LedgerError
from promoter.ledger.chain import FactDraft, LedgerHead, Kind
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
try:
    draft = FactDraft(Kind.STEP_DONE, "ana", body={"note": "x" * 90000})
    SqliteLedger(Path(sys.argv[1])).append(draft, LedgerHead(), datetime.now(UTC))
except LedgerError as error:
    print(error.message, "|", error.hint)
"""


@contextmanager
def directly(path: Path) -> Iterator[sqlite3.Connection]:
    """Open the file directly, bypassing promoter."""
    raw = sqlite3.connect(path, isolation_level=None)
    try:
        yield raw
    finally:
        raw.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".promoter" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[SqliteLedger]:
    made = SqliteLedger(path)
    yield made
    made.close()


class TestSqliteLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, path: Path) -> Iterator[SqliteLedger]:
        made = SqliteLedger(path)
        yield made
        made.close()


def test_reading_makes_nothing(ledger, tmp_path):
    assert list(ledger.read()) == [] == list(ledger.lines())
    ledger.release(Lease("prod", "run 1", 1))
    assert list(tmp_path.iterdir()) == []


def test_the_first_write_makes_a_private_file_that_git_ignores(ledger, path):
    write(ledger, 1)
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert (path.parent / ".gitignore").read_text() == "*\n"
    ledger.close()
    assert sorted(file.name for file in path.parent.iterdir()) == [".gitignore", "ledger.db"]


def test_a_directory_that_was_there_keeps_its_own_rules(ledger, path):
    path.parent.mkdir()
    write(ledger, 1)
    assert not (path.parent / ".gitignore").exists()


def test_it_goes_on_after_it_was_closed(ledger, path):
    first = write(ledger, 2)
    ledger.close()
    assert [*first, *write(ledger, 1)] == list(SqliteLedger(path).read())


def test_a_reader_that_came_before_the_file_sees_what_is_written_later(ledger, path):
    reader = SqliteLedger(path)
    assert list(reader.read()) == []
    written = write(ledger, 1)
    assert list(reader.read()) == written
    reader.close()


def test_pages_join_without_a_seam(ledger, monkeypatch):
    monkeypatch.setattr("promoter.adapters.ledgers.sqlite.store._PAGE", 3)
    written = write(ledger, 7)
    for after in range(8):
        assert list(ledger.read(after)) == written[after:]


def test_a_reader_may_write_between_two_facts(ledger, monkeypatch):
    monkeypatch.setattr("promoter.adapters.ledgers.sqlite.store._PAGE", 1)
    write(ledger, 2)
    seen = []
    for fact in ledger.read():
        seen.append(fact.seq)
        if fact.seq == 1:
            write(ledger, 1)
    assert seen == [1, 2, 3]


def test_eight_processes_race_and_lose_nothing(path):
    path.parent.mkdir()
    racers = [subprocess.Popen([sys.executable, "-c", RACER, path, f"racer {n}"]) for n in range(8)]
    assert [racer.wait(60) for racer in racers] == [0] * 8
    ledger = SqliteLedger(path)
    facts = list(check_chain(ledger.lines()))
    ledger.close()
    assert [fact.seq for fact in facts] == list(range(1, 201))
    for n in range(8):
        assert [fact.body["n"] for fact in facts if fact.actor == f"racer {n}"] == list(range(25))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE facts SET line = x'00' WHERE seq = 1",
        "DELETE FROM facts WHERE seq = 2",
        "DELETE FROM facts",
        "INSERT INTO facts VALUES (9, 'sha256:9', x'00')",
        "INSERT OR REPLACE INTO facts VALUES (1, 'sha256:9', x'00')",
        "INSERT INTO facts VALUES (3, 'sha256:9', 7)",
        "DELETE FROM leases",
        "UPDATE leases SET token = 0",
    ],
)
def test_the_database_itself_refuses_to_forget(ledger, path, statement):
    written = write(ledger, 2)
    ledger.acquire("prod", "run 1", MINUTE, NOW)
    with directly(path) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute(statement)
    assert list(ledger.read()) == written


def test_a_line_changed_without_promoter_is_found_even_the_last(ledger, path):
    write(ledger, 3)
    ledger.close()
    with directly(path) as raw:
        raw.execute("DROP TRIGGER facts_stay")
        raw.execute("UPDATE facts SET line = CAST(replace(CAST(line AS TEXT), 'ana', 'eve') AS BLOB) WHERE seq = 3")
    with pytest.raises(LedgerError) as error:
        list(ledger.read())
    assert "broken: fact 3: " in error.value.message and "ledger verify" in error.value.hint


def test_what_runs_as_the_database_is_durable(ledger, path):
    write(ledger, 1)
    connection = ledger._connection
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_newer_form_is_refused_before_anything_is_changed(ledger, path):
    write(ledger, 1)
    ledger.close()
    with directly(path) as raw:
        raw.execute("PRAGMA user_version = 2")
    before = path.read_bytes()
    for act in (lambda: list(ledger.read()), lambda: ledger.append(DRAFT, LedgerHead(), NOW)):
        with pytest.raises(LedgerError) as error:
            act()
        assert "newer promoter" in error.value.message and "upgrade" in error.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["text", "foreign"])
def test_another_file_is_left_alone(ledger, path, content):
    path.parent.mkdir()
    if content == "text":
        path.write_text("not a database, but long enough to be taken for one" * 99)
    else:
        with directly(path) as raw:
            raw.execute("CREATE TABLE guests (name TEXT)")
    before = path.read_bytes()
    for act in (lambda: list(ledger.lines()), lambda: ledger.acquire("prod", "run 1", MINUTE, NOW)):
        with pytest.raises(LedgerError) as error:
            act()
        assert str(path) in error.value.message and "--ledger" in error.value.hint
    assert path.read_bytes() == before


def test_an_empty_file_is_an_empty_ledger(ledger, path):
    path.parent.mkdir()
    path.touch()
    assert list(ledger.read()) == []
    assert len(write(ledger, 1)) == 1


def test_a_directory_at_the_path_of_the_database_is_reported(ledger, path):
    path.mkdir(parents=True)
    with pytest.raises(LedgerError) as error:
        ledger.append(DRAFT, LedgerHead(), NOW)
    assert "cannot be opened" in error.value.message


def test_a_file_at_the_path_of_the_directory_is_reported(ledger, path):
    path.parent.write_text("")
    with pytest.raises(LedgerError) as error:
        ledger.append(DRAFT, LedgerHead(), NOW)
    assert "cannot be reached" in error.value.message


def test_a_lock_that_lasts_raises_a_retryable_error(path):
    ledger = SqliteLedger(path, timeout=timedelta(milliseconds=20))
    write(ledger, 1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError) as error:
        ledger.acquire("prod", "run 1", MINUTE, NOW)
    assert "stayed locked" in error.value.message and error.value.retryable
    assert len(list(ledger.read())) == 1
    other.execute("ROLLBACK")
    other.close()
    assert ledger.acquire("prod", "run 1", MINUTE, NOW).token == 1
    ledger.close()


def test_a_full_disk_is_reported_with_a_hint(path):
    output = subprocess.run([sys.executable, "-c", WRITER, path], capture_output=True, text=True, check=True).stdout
    assert "disk error" in output and "run the same command again" in output
    assert list(SqliteLedger(path).read()) == []


def test_a_full_disk_keeps_what_was_there(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(disk).encode(), b"tmpfs", 0, b"size=256k") != 0:
        pytest.skip("mounting a small disk needs root")
    try:
        ledger = SqliteLedger(disk / "ledger.db")
        written = write(ledger, 1)
        (disk / "filler").write_bytes(b"x" * (os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))
        with pytest.raises(LedgerError) as error:
            ledger.append(FactDraft(Kind.STEP_DONE, "ana", body={"note": "x" * 90000}), LedgerHead(1, written[0].digest), NOW)
        assert "cannot grow" in error.value.message and "free some space" in error.value.hint
        assert list(ledger.read()) == written
        (disk / "filler").unlink()
        assert write(ledger, 1)[0].seq == 2
        ledger.close()
    finally:
        assert libc.umount(str(disk).encode()) == 0


@contextmanager
def unprivileged() -> Iterator[None]:
    """Drop root's rights: permissions do not apply to root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def read_only_dir() -> Iterator[Path]:
    """A directory that everyone may enter and in which no one may write."""
    read_only_dir = Path(tempfile.mkdtemp(prefix="promoter-shelf-"))
    yield read_only_dir
    read_only_dir.chmod(0o755)
    shutil.rmtree(read_only_dir)


def test_it_can_be_read_where_nothing_may_be_written(read_only_dir):
    ledger = SqliteLedger(read_only_dir / "ledger.db")
    written = write(ledger, 2)
    ledger.close()
    (read_only_dir / "ledger.db").chmod(0o444)
    read_only_dir.chmod(0o555)
    with unprivileged():
        reader = SqliteLedger(read_only_dir / "ledger.db")
        assert list(reader.read()) == written
        with pytest.raises(LedgerError) as error:
            reader.append(DRAFT, LedgerHead(2, written[1].digest), NOW)
        assert "written" in error.value.message or "opened" in error.value.message
        assert "writable" in error.value.hint
        reader.close()


def test_a_read_only_directory_is_reported(read_only_dir):
    read_only_dir.chmod(0o555)
    with unprivileged(), pytest.raises(LedgerError) as error:
        SqliteLedger(read_only_dir / "new" / "ledger.db").append(DRAFT, LedgerHead(), NOW)
    assert "Permission denied" in error.value.message


# ---------------------------------------------------------------- open_ledger
@pytest.mark.parametrize(
    ("url", "path"),
    [
        (None, "here/.promoter/ledger.db"),
        ("sqlite:my.db", "here/my.db"),
        ("sqlite:../shared/my.db", "here/../shared/my.db"),
        ("sqlite:/srv/my.db", "/srv/my.db"),
        ("sqlite:///srv/my.db", "/srv/my.db"),
    ],
)
def test_where_a_ledger_is(url, path):
    assert open_ledger(url, Path("here"), "shop").location == f"sqlite:{path}"


@pytest.mark.parametrize("url", ["mysql://ana:hunter2@db.example.com/ledger", "drawer:third", "ledger.db", "sqlite:", ""])
def test_other_ledgers_are_refused_with_what_to_write(url):
    with pytest.raises(CallerError) as error:
        open_ledger(url, Path("here"), "shop")
    assert "write sqlite:PATH" in error.value.hint
    assert "hunter2" not in error.value.message
