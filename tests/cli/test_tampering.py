"""Every way to tamper with a ledger file, and what the real commands say of it: which fact, and what is wrong there.

Whoever tampers owns the file: triggers are dropped, digests set to fit. What the chain alone cannot tell, the witness does;
what neither can is the last test.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from promoter.adapters.ledger.sqlite import SqliteLedger
from promoter.cli.app import run
from promoter.model.canonical import canonical, sha256_hex
from promoter.model.facts import Head
from tests.workshop import Workshop

FILE = "name: shop\nservices: {web: {image: busybox}}\nenvironments: {dev: {}, test: {}, prod: {}}\n"
COUNT = 24
Rows = list[tuple[int, str, bytes]]


def digest(line: bytes) -> str:
    return f"sha256:{sha256_hex(line)}"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline with a ledger of real facts, that was looked at once: the witness knows its head."""
    place = tmp_path_factory.mktemp("original")
    (place / "pipeline.yaml").write_text(FILE)
    shop = Workshop()
    shop.run()
    shop.newer("two")
    shop.run()
    facts = list(shop.ledger.read())[:COUNT]
    ledger = SqliteLedger(place / ".promoter/ledger.db")
    ledger.restore(facts, Head())
    ledger.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert run(["ledger", "verify"]) == 0
        assert run(["pin", "prod", "--reason", "watched", "--actor", "ann@example.com"]) == 0
    shutil.copytree(place, place.with_name("kept"))
    return place


@pytest.fixture
def here(original: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Always the same place: a witness is for a ledger there."""
    shutil.rmtree(original)
    shutil.copytree(original.with_name("kept"), original)
    monkeypatch.chdir(original)
    return original


def rows_of(place: Path) -> Rows:
    with closing(sqlite3.connect(place / ".promoter/ledger.db")) as raw:
        return raw.execute("SELECT seq, digest, line FROM facts ORDER BY seq").fetchall()


def put(place: Path, rows: Rows) -> None:
    """`rows` and nothing else, by somebody who may do what he likes with the file."""
    with closing(sqlite3.connect(place / ".promoter/ledger.db")) as raw:
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f"DROP TRIGGER {name}")
        raw.execute("DELETE FROM facts")
        raw.executemany("INSERT INTO facts VALUES (?, ?, ?)", rows)
        raw.commit()


def say(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    capsys.readouterr()
    code = run([*argv])
    said = capsys.readouterr()
    return code, said.out + said.err


# ---------------------------------------------------------------- the ways
def line(rows: Rows, seq: int, new: bytes, *, fits: bool = True) -> Rows:
    """Fact `seq` says something else; its digest is set to fit, or left."""
    return [(n, digest(new) if fits and n == seq else old, new if n == seq else text) for n, old, text in rows]


def edited(rows: Rows, seq: int, *, fits: bool) -> Rows:
    return line(rows, seq, rows[seq - 1][2].replace(b"ann@example.com", b"eve@example.com"), fits=fits)


def rehashed(rows: Rows, start: int) -> Rows:
    """From fact `start` on everything is written anew, by another actor and with digests that fit."""
    made: Rows = list(rows[: start - 1])
    for seq, _, text in rows[start - 1 :]:
        document = {**json.loads(text), "seq": seq, "prev": made[-1][1] if made else "sha256:" + "0" * 64}
        document["actor"] = "eve@example.com"
        new = canonical(document)
        made.append((seq, digest(new), new))
    return made


def renumbered(texts: list[bytes]) -> Rows:
    return [(n, digest(text), text) for n, text in enumerate(texts, 1)]


def inserted(rows: Rows) -> Rows:
    """A forged fact 7 that follows 6; those that were behind it move up a place in the table."""
    forged = canonical({**json.loads(rows[6][2]), "actor": "eve@example.com"})
    texts = [text for _, _, text in rows]
    return renumbered([*texts[:6], forged, *texts[6:]])


def texts(rows: Rows) -> list[bytes]:
    return [text for _, _, text in rows]


SEEN = "25 facts were seen from here before"
WAYS: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "a line edited": (lambda r: edited(r, 7, fits=False), "fact 7: its line is no longer the one that was recorded"),
    "a line and its digest edited": (lambda r: edited(r, 7, fits=True), "fact 8: fact 8 names"),
    "the last line edited": (lambda r: edited(r, 25, fits=False), "fact 25: its line is no longer"),
    "the last line and its digest edited": (lambda r: edited(r, 25, fits=True), f"holds another fact 25, and {SEEN}"),
    "a digest edited": (lambda r: [(n, "sha256:0" if n == 7 else d, t) for n, d, t in r], "fact 7: its line is no longer"),
    "one deleted": (lambda r: [row for row in r if row[0] != 7], "fact 8: fact 7 is due here and fact 8 stands here"),
    "one deleted, places closed up": (
        lambda r: renumbered([t for n, _, t in r if n != 7]), "fact 7: fact 7 is due here and fact 8 stands here"),
    "two swapped": (
        lambda r: renumbered([*texts(r)[:6], texts(r)[7], texts(r)[6], *texts(r)[8:]]), "fact 7: fact 7 is due here and fact 8"),
    "one inserted": (inserted, "fact 8: fact 8 is due here and fact 7 stands here"),
    "one inserted, behind it all written anew": (lambda r: rehashed(inserted(r), 7), f"holds another fact 25, and {SEEN}"),
    "the first one twice": (lambda r: [*r, (26, "sha256:1", r[0][2])], "fact 26: fact 26 is due here and fact 1 stands here"),
    "the last one cut off": (lambda r: r[:-1], f"ends with fact 24, and {SEEN}"),
    "half cut off": (lambda r: r[:12], f"ends with fact 12, and {SEEN}"),
    "emptied": (lambda _: [], f"ends with fact 0, and {SEEN}"),
    "written anew from the first": (lambda r: rehashed(r, 1), f"holds another fact 25, and {SEEN}"),
    "written anew from the last": (lambda r: rehashed(r, 25), f"holds another fact 25, and {SEEN}"),
    "a place changed": (lambda r: [*r[:-1], (125, r[-1][1], r[-1][2])], "fact 125: fact 25 stands in its place"),
    "null": (lambda r: line(r, 7, b"null"), "fact 7: not a fact: not a JSON object"),
    "nothing": (lambda r: line(r, 7, b""), "fact 7: not a fact"),
    "a NUL": (lambda r: line(r, 7, r[6][2].replace(b"shop", b"sh\0p") + b"\0"), "fact 7: not a fact"),
    "no UTF-8": (lambda r: line(r, 7, r[6][2].replace(b"ann", b"\xff")), "fact 7: not a fact: .*utf-8"),
    "megabytes": (lambda r: line(r, 7, b'{"a":"' + b"x" * 5_000_000 + b'"}'), "fact 7: not a fact: seq is not"),
    "deep": (lambda r: line(r, 7, b"[" * 200_000), "fact 7: not a fact: nested too deeply"),
    "a space more": (lambda r: line(r, 7, r[6][2].replace(b"{", b"{ ", 1)), "fact 7: the line is not in canonical form"),
    "a key twice": (
        lambda r: line(r, 7, r[6][2].replace(b'"seq":7', b'"seq":7,"seq":7')), "fact 7: the line is not in canonical form"),
    "a number as a float": (
        lambda r: line(r, 7, r[6][2].replace(b'"seq":7', b'"seq":7.0')), "fact 7: not a fact: seq is not a whole number"),
    "a kind of tomorrow": (
        lambda r: line(r, 7, canonical({**json.loads(r[6][2]), "kind": "blessed"})), "fact 7: kind 'blessed' .* newer promoter"),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_each_is_found_named_and_stops_what_would_build_on_it(here: Path, capsys: pytest.CaptureFixture[str], way: str) -> None:
    change, words = WAYS[way]
    rows = change(rows_of(here))
    assert rows != rows_of(here)
    put(here, rows)
    code, said = say(capsys, "ledger", "verify")
    assert code == 1
    assert re.search(words, said), said
    assert "Traceback" not in said
    assert len(said) < 2000
    for command in (["status"], ["pin", "dev", "--reason", "x", "--actor", "ben@example.com"], ["promote"]):
        code, said = say(capsys, *command)
        assert (code, "Traceback" in said) == (1, False), said
    assert rows_of(here) == sorted(rows)


@pytest.mark.parametrize("way", ["deleted", "garbage", "another program's", "half a page"])
def test_a_file_that_is_gone_or_no_ledger_is_told(here: Path, capsys: pytest.CaptureFixture[str], way: str) -> None:
    file = here / ".promoter/ledger.db"
    rows_of(here)
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    whole = file.read_bytes()
    for part in here.glob(".promoter/ledger.db*"):
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
        code, said = say(capsys, *command)
        assert (code, "Traceback" in said) == (1, False), said


def test_another_pipelines_ledger_in_its_place_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(here, [(n, d, t.replace(b'"pipeline":"shop"', b'"pipeline":"blog"')) for n, d, t in rows_of(here)][:1])
    put(here, renumbered(texts(rows_of(here))))
    (here / ".promoter/witness.json").unlink()
    code, said = say(capsys, "promote")
    assert (code, "is that of pipeline blog, not of shop" in said) == (2, True), said


def test_what_nobody_here_can_tell_is_told_by_the_head_that_was_kept_elsewhere(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever writes the ledger anew and takes the witness away leaves a chain that is whole: docs/ledger.md says so."""
    kept = json.loads(say(capsys, "ledger", "verify", "--json")[1])["head"]
    put(here, rehashed(rows_of(here), 7))
    (here / ".promoter/witness.json").unlink()
    code, said = say(capsys, "ledger", "verify", "--json")
    assert code == 0
    assert json.loads(said)["head"] != kept
