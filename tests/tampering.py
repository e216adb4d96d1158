"""The ways to tamper with the rows of a ledger: position, stored digest of the line, and line.

A person who tampers has full access to the store, so the digests are updated to match. Each way has its expected message.
"""

import json
from collections.abc import Callable

from promoter.model.canonical_json import canonical, sha256_hex

Rows = list[tuple[int, str, bytes]]


def digest(line: bytes) -> str:
    return f"sha256:{sha256_hex(line)}"


def line(rows: Rows, seq: int, new: bytes, *, fits: bool = True) -> Rows:
    """Replace the line of fact `seq`, and update its digest if `fits`."""
    return [(n, digest(new) if fits and n == seq else old, new if n == seq else text) for n, old, text in rows]


def edited(rows: Rows, seq: int, *, fits: bool) -> Rows:
    return line(rows, seq, rows[seq - 1][2].replace(b"ann@example.com", b"eve@example.com"), fits=fits)


def rehashed(rows: Rows, start: int) -> Rows:
    """Rewrite all facts from `start` on, with another actor and matching digests."""
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
    """Insert a forged fact 7 after fact 6, and move the later facts up by one."""
    forged = canonical({**json.loads(rows[6][2]), "actor": "eve@example.com"})
    texts = [text for _, _, text in rows]
    return renumbered([*texts[:6], forged, *texts[6:]])


def texts(rows: Rows) -> list[bytes]:
    return [text for _, _, text in rows]


SEEN = "this machine has seen 25 facts"
WAYS: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "a line edited": (lambda r: edited(r, 7, fits=False), "fact 7: its line has changed: it was recorded with digest"),
    "a line and its digest edited": (lambda r: edited(r, 7, fits=True), "fact 8: fact 8 must name"),
    "the last line edited": (lambda r: edited(r, 25, fits=False), "fact 25: its line has changed"),
    "the last line and its digest edited": (lambda r: edited(r, 25, fits=True), f"has another fact 25, but {SEEN}"),
    "a digest edited": (lambda r: [(n, "sha256:0" if n == 7 else d, t) for n, d, t in r], "fact 7: its line has changed"),
    "one deleted": (lambda r: [row for row in r if row[0] != 7], "fact 8: expected fact 7, found fact 8"),
    "one deleted, places closed up": (
        lambda r: renumbered([t for n, _, t in r if n != 7]),
        "fact 7: expected fact 7, found fact 8",
    ),
    "two swapped": (
        lambda r: renumbered([*texts(r)[:6], texts(r)[7], texts(r)[6], *texts(r)[8:]]),
        "fact 7: expected fact 7, found fact 8",
    ),
    "one inserted": (inserted, "fact 8: expected fact 8, found fact 7"),
    "one inserted, behind it all written anew": (lambda r: rehashed(inserted(r), 7), f"has another fact 25, but {SEEN}"),
    "the first one twice": (lambda r: [*r, (26, "sha256:1", r[0][2])], "fact 26: expected fact 26, found fact 1"),
    "the last one cut off": (lambda r: r[:-1], f"ends with fact 24, but {SEEN}"),
    "half cut off": (lambda r: r[:12], f"ends with fact 12, but {SEEN}"),
    "emptied": (lambda _: [], f"ends with fact 0, but {SEEN}"),
    "written anew from the first": (lambda r: rehashed(r, 1), f"has another fact 25, but {SEEN}"),
    "written anew from the last": (lambda r: rehashed(r, 25), f"has another fact 25, but {SEEN}"),
    "a place changed": (lambda r: [*r[:-1], (125, r[-1][1], r[-1][2])], "fact 125: found fact 25 in its place"),
    "null": (lambda r: line(r, 7, b"null"), "fact 7: not a fact: not a JSON object"),
    "nothing": (lambda r: line(r, 7, b""), "fact 7: not a fact"),
    "a NUL": (lambda r: line(r, 7, r[6][2].replace(b"shop", b"sh\0p") + b"\0"), "fact 7: not a fact"),
    "no UTF-8": (lambda r: line(r, 7, r[6][2].replace(b"ann", b"\xff")), "fact 7: not a fact: .*utf-8"),
    "megabytes": (lambda r: line(r, 7, b'{"a":"' + b"x" * 5_000_000 + b'"}'), "fact 7: not a fact: seq is not"),
    "deep": (lambda r: line(r, 7, b"[" * 200_000), "fact 7: not a fact: nested too deeply"),
    "a space more": (lambda r: line(r, 7, r[6][2].replace(b"{", b"{ ", 1)), "fact 7: the line is not in canonical form"),
    "a key twice": (
        lambda r: line(r, 7, r[6][2].replace(b'"seq":7', b'"seq":7,"seq":7')),
        "fact 7: the line is not in canonical form",
    ),
    "a number as a float": (
        lambda r: line(r, 7, r[6][2].replace(b'"seq":7', b'"seq":7.0')),
        "fact 7: not a fact: seq is not a whole number",
    ),
    "a kind of tomorrow": (
        lambda r: line(r, 7, canonical({**json.loads(r[6][2]), "kind": "blessed"})),
        "fact 7: unknown kind 'blessed': .* newer promoter",
    ),
}
