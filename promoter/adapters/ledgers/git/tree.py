"""Facts as files of a branch: PIPELINE/0000/00/00000007.json, a hundred to a directory, one commit a fact.

What an append writes and reads does not grow with the number of facts, and one process reads all of them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from promoter.adapters.ledgers.git.objects import Entry, Objects, written
from promoter.adapters.ledgers.git.remote import Wire
from promoter.ledger.chain import Fact, LedgerHead
from promoter.model.canonical_json import sha256_hex
from promoter.model.pattern import pattern

_DIRECTORY, _FILE = "40000", "100644"
_NUMBER = pattern(r"(\d+)(?:\.json)?", re.ASCII)
_SPANS = (10_000, 100, 1)
"""The number of facts below each entry of the three levels."""
Row = tuple[int, str | None, bytes]


class Tree:
    """The facts of one pipeline at any commit of the branch."""

    def __init__(self, wire: Wire, pipeline: str) -> None:
        self._wire, self._pipeline = wire, pipeline

    def rows(self, tip: str, after: int) -> Iterator[Row]:
        """Yield place, no digest, and line of each fact after `after`."""
        with Objects(self._wire, tip) as objects:
            blobs = self._below(objects, f"{tip}:{self._pipeline}", 0, 0, after)
            yield from ((seq, None, blob.removesuffix(b"\n")) for seq, blob in objects.each(blobs))

    def _below(self, objects: Objects, tree: str, base: int, level: int, after: int) -> Iterator[tuple[int, str]]:
        """Yield numbers and objects of facts in order, lazily."""
        span = _SPANS[level]
        for number, entry in _numbered(objects.tree(tree)):
            first = number if level == 2 else base + number * span
            if first + span - 1 <= after:
                continue
            if level == 2:
                yield number, entry.object
            else:
                yield from self._below(objects, entry.object, first, level + 1, after)

    def holds(self, tip: str | None, fact: Fact) -> bool:
        return tip is not None and self._line(tip, fact.seq) == fact.line

    def head_at(self, tip: str, seq: int) -> LedgerHead:
        line = self._line(tip, seq) if seq else None
        return LedgerHead(seq) if line is None else _head(seq, line)

    def _line(self, tip: str, seq: int) -> bytes | None:
        with Objects(self._wire, tip) as objects:
            blob = objects.get(f"{tip}:{self._pipeline}/{'/'.join(path_of(seq))}")
        return None if blob is None else blob.removesuffix(b"\n")

    def head(self, tip: str | None) -> LedgerHead:
        """Return the end of the chain."""
        if tip is None:
            return LedgerHead()
        with Objects(self._wire, tip) as objects:
            number, name = 0, f"{tip}:{self._pipeline}"
            for _ in _SPANS:
                rows = _numbered(objects.tree(name))
                if not rows:
                    return LedgerHead()
                number, (_, name, _) = rows[-1]
            blob = objects.get(name)
        return LedgerHead() if blob is None else _head(number, blob.removesuffix(b"\n"))

    def with_facts(self, tip: str | None, facts: Sequence[Fact]) -> str:
        """Write the tree of `tip` with more files; nothing else in it changes."""
        blobs = written(self._wire, [fact.line + b"\n" for fact in facts])
        paths: list[tuple[str, ...]] = [(self._pipeline, *path_of(fact.seq)) for fact in facts]
        files = dict(zip(paths, blobs, strict=True))
        if tip is None:
            return self._made(None, "", files)
        with Objects(self._wire, tip) as objects:
            return self._made(objects, f"{tip}:", files)

    def _made(self, objects: Objects | None, tree: str, files: Mapping[tuple[str, ...], str]) -> str:
        """Write `tree` (empty: a new one) with `files`, by their paths below it."""
        level = {entry.name: entry for entry in objects.tree(tree)} if objects is not None and tree else {}
        for name, group in groupby(sorted(files.items()), key=lambda item: item[0][0]):
            below = {path[1:]: blob for path, blob in group}
            if () in below:
                level[name] = Entry(_FILE, below[()], name)
            else:
                there = level[name].object if name in level else ""
                level[name] = Entry(_DIRECTORY, self._made(objects, there, below), name)
        text = b"".join(entry.raw for entry in sorted(level.values(), key=lambda entry: entry.order))
        # Not `mktree`: it does not flush its objects to disk, whatever the configuration says.
        return self._wire.asked("hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=text)


def path_of(seq: int) -> tuple[str, str, str]:
    return f"{seq // 10_000:04}", f"{seq // 100 % 100:02}", f"{seq:08}.json"


def _head(seq: int, line: bytes) -> LedgerHead:
    return LedgerHead(seq, f"sha256:{sha256_hex(line)}")


def _numbered(tree: list[Entry]) -> list[tuple[int, Entry]]:
    """Return entries that are named like facts and their directories, in order; ignore others, such as a README."""
    found = [(_NUMBER.fullmatch(entry.name), entry) for entry in tree]
    return sorted(((int(match[1]), entry) for match, entry in found if match), key=lambda row: row[0])
