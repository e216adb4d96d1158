"""Every way to tamper with a ledger file, and how the real commands report it: which fact, and what is wrong there.

A person who tampers has full access to the file: triggers are dropped, digests are updated to match. What the chain alone
cannot show, the witness does. What neither can show is the last test.
"""

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import LedgerHead
from promoter.ui.cli.app import run
from tests.harness import Harness
from tests.tampering import WAYS, Rows, rehashed, renumbered, texts

FILE = "name: shop\nservices: {web: {image: busybox}}\nenvironments: {dev: {}, test: {}, prod: {}}\n"
COUNT = 24


def _kept(original: Path) -> Path:
    """Return a copy beside its own original: a worker may set the module up twice."""
    return original.with_name(f"{original.name}-kept")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with a ledger of real facts that was read once: the witness has its head."""
    original = tmp_path_factory.mktemp("original")
    (original / "pipeline.yaml").write_text(FILE)
    shop = Harness()
    shop.run()
    shop.newer("two")
    shop.run()
    facts = list(shop.store.read())[:COUNT]
    ledger = SqliteLedger(original / ".promoter/ledger.db")
    ledger.restore(facts, LedgerHead())
    ledger.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(original)
        assert run(["ledger", "verify"]) == 0
        assert run(["pin", "prod", "--reason", "watched", "--actor", "ann@example.com"]) == 0
    shutil.copytree(original, _kept(original))
    return original


@pytest.fixture
def directory(original: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Always the same path: a witness belongs to the ledger at its path."""
    shutil.rmtree(original)
    shutil.copytree(_kept(original), original)
    monkeypatch.chdir(original)
    return original


def rows_of(original: Path) -> Rows:
    with closing(sqlite3.connect(original / ".promoter/ledger.db")) as raw:
        return raw.execute("SELECT seq, digest, line FROM facts ORDER BY seq").fetchall()


def put(original: Path, rows: Rows) -> None:
    """Replace all rows by `rows`, as a person with full access to the file can do."""
    with closing(sqlite3.connect(original / ".promoter/ledger.db")) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("DELETE FROM facts")
        raw.executemany("INSERT INTO facts VALUES (?, ?, ?)", rows)
        raw.commit()


def run_cli(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run([*argv])
    output = capsys.readouterr()
    return code, output.out + output.err


@pytest.mark.parametrize("way", WAYS)
def test_each_is_found_named_and_stops_what_would_build_on_it(
    directory: Path, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    change, words = WAYS[way]
    rows = change(rows_of(directory))
    assert rows != rows_of(directory)
    put(directory, rows)
    code, output = run_cli(capsys, "ledger", "verify")
    assert code == 1
    assert re.search(words, output), output
    assert "Traceback" not in output
    assert len(output) < 2000
    for command in (["status"], ["pin", "dev", "--reason", "x", "--actor", "ben@example.com"], ["promote"]):
        code, output = run_cli(capsys, *command)
        assert (code, "Traceback" in output) == (1, False), output
    assert rows_of(directory) == sorted(rows)


@pytest.mark.parametrize("way", ["deleted", "garbage", "another program's", "half a page"])
def test_a_missing_or_invalid_ledger_file_is_reported(directory: Path, capsys: pytest.CaptureFixture[str], way: str) -> None:
    file = directory / ".promoter/ledger.db"
    rows_of(directory)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    for part in directory.glob(".promoter/ledger.db*"):
        part.unlink()
    if way == "garbage":
        file.write_bytes(b"\0" * 4096)
    elif way == "half a page":
        file.write_bytes(whole[: len(whole) // 2 + 100])
    elif way == "another program's":
        with closing(sqlite3.connect(file)) as raw:
            raw.execute("CREATE TABLE facts (seq, digest, line)")
            raw.commit()
    for command in (["ledger", "verify"], ["status"], ["pin", "dev", "--reason", "x", "--actor", "ben@example.com"]):
        code, output = run_cli(capsys, *command)
        assert (code, "Traceback" in output) == (1, False), output


def test_the_ledger_of_another_pipeline_is_refused(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(directory, [(n, d, t.replace(b'"pipeline":"shop"', b'"pipeline":"blog"')) for n, d, t in rows_of(directory)][:1])
    put(directory, renumbered(texts(rows_of(directory))))
    (directory / ".promoter/witness.json").unlink()
    code, output = run_cli(capsys, "promote")
    assert (code, "belongs to pipeline blog, not to shop" in output) == (2, True), output


def test_a_rewritten_ledger_without_witness_differs_from_a_head_kept_outside(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rewriting the ledger and removing the witness leaves a complete chain, as docs/ledger.md describes."""
    kept = json.loads(run_cli(capsys, "ledger", "verify", "--json")[1])["head"]
    put(directory, rehashed(rows_of(directory), 7))
    (directory / ".promoter/witness.json").unlink()
    code, output = run_cli(capsys, "ledger", "verify", "--json")
    assert code == 0
    assert json.loads(output)["head"] != kept
