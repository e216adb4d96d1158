"""Run a page in a shell: its `sh` blocks in one bash. Each answer is compared with the `text` block that follows it.

Ids, times and measures differ from run to run, so both sides are normalized first: the same id gets the same number
everywhere on a page, at any length.

A line `…` in a `text` block matches any number of lines. tests/docs/refresh.py writes the answers into a page.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from threading import Timer
from typing import Self

from tests.docs.pages import DOCS, Block, blocks_of

NOT_RUN, SET_UP = "not run", "set up"
EXECUTED = (
    "tutorial.md",
    "how-to/a-second-registry-for-prod.md",
    "how-to/back-up-the-ledger.md",
    "how-to/check-the-record.md",
    "how-to/find-out-why-it-waits.md",
    "how-to/freeze-for-the-holidays.md",
    "how-to/ledger-in-git.md",
    "how-to/move-the-ledger.md",
    "how-to/protect-the-policy.md",
    "how-to/read-the-json.md",
    "how-to/roll-back-in-an-emergency.md",
    "how-to/rotate-a-signing-key.md",
    "how-to/several-services-and-migrations.md",
)
"""The pages that are executed."""
_BUILD = re.compile(r"^[\w-]+ \| .*\n|^[\w-]+: building with .*\n", re.MULTILINE)
"""The output of the builder, which depends on the machine."""
_ID = re.compile(r"\b[0-9a-f]{7,64}\b")
_MEASURES = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?"), "2026-01-01 00:00:00"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "00:00:00"),
    (re.compile(r"\b\d+ (s|min|h)(?= |$)", re.MULTILINE), "0 s"),
    (re.compile(r"\bafter \d+\.\d\d s\b"), "after 0.00 s"),
    (re.compile(r"\b\d+ms\b"), "0ms"),
    (re.compile(r"\b(\d+m)?\d+(\.\d)?s\b"), "0.0s"),
    (re.compile(r"… starting\b"), "✓ healthy"),
    (re.compile(r"\b(starting|running)\b"), "healthy"),  # the engine's own first check may come after the question
    (re.compile(r"\b[0-9a-f]{7}\b(?=\))"), "0000000"),
    (re.compile(r"\bSHA256:[\w+/]{43}"), "SHA256:key"),
    (re.compile(r"^[0-9a-f]{7}(?= )", re.MULTILINE), "0000000"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    (re.compile(r"(?<=\S) {2,}"), "  "),
    (re.compile(r"\n+…\n+"), "\n…\n"),
)
TUTORIAL = DOCS / "tutorial.md"
_END = "@@ the block has ended"
_TIMEOUT = 300
"""Seconds for a whole page. A shell that hangs is killed, and its output so far is reported."""


@dataclass
class Normalizer:
    """One side of the comparison. Ids are numbered in order of appearance, so that exchanging two of them is found."""

    known: dict[str, str] = field(default_factory=dict)

    def __call__(self, text: str) -> str:
        return _ID.sub(lambda match: self.known.setdefault(match[0][:7], f"id{len(self.known) + 1}"), measured(text)).strip("\n")


def measured(text: str) -> str:
    """Remove the output of the builder, and replace all times and measures."""
    text = _BUILD.sub("", text)
    for pattern, instead in _MEASURES:
        text = pattern.sub(instead, text)
    return text


def without_what_is_left_out(message: str, shown: str) -> str:
    """Replace by `…` the lines for which `shown` has a `…`. Return all of the output if the rest does not match."""
    if not re.search(r"(?m)^…$", shown):
        return message
    lines = _BUILD.sub("", message).strip("\n").splitlines()
    blurred = [_ID.sub("id", measured(line)) for line in lines]
    kept, position = list[str](), 0
    parts = [part.strip("\n").splitlines() for part in re.split(r"(?m)^…$", f"\n{measured(shown)}\n")]
    for number, part in enumerate(parts):
        wanted = [_ID.sub("id", line) for line in part]
        starts = range(position, len(lines) - len(part) + 1) if number else (0,)
        last = number == len(parts) - 1 and part != []
        fits = [at for at in starts if blurred[at : at + len(part)] == wanted and (not last or at + len(part) == len(lines))]
        if not fits:
            return message
        kept += [*lines[fits[0] : fits[0] + len(part)], "…"]
        position = fits[0] + len(part)
    return "\n".join(kept[:-1])


class Shell:
    """One bash for a whole page, without a person at its standard input."""

    def __init__(self, directory: Path, environ: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=directory,
            env=dict(environ),
            text=True,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._watchdog = Timer(_TIMEOUT, os.killpg, (self._bash.pid, signal.SIGKILL))
        self._watchdog.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        with suppress(ProcessLookupError):
            os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.wait()
        for pipe in (self._bash.stdin, self._bash.stdout):
            assert pipe
            pipe.close()

    def run(self, block: str) -> str:
        assert self._bash.stdin and self._bash.stdout
        self._bash.stdin.write(f"{{\n{block}}} </dev/null\necho '{_END}'\n")
        self._bash.stdin.flush()
        output = ""
        for line in self._bash.stdout:
            if line == f"{_END}\n":
                return output
            output += line
        raise AssertionError(f"the shell ended in the middle of\n{block}\nand had said\n{output}")


@dataclass(frozen=True)
class Executed:
    """A block of commands, its output, and the output on the page (None: nothing)."""

    block: Block
    output: str
    shown: Block | None


def answers(page: Path) -> dict[Block, Block]:
    """Return each block of commands with the text that directly follows it."""
    found = blocks_of(page)
    return {one: two for one, two in pairwise(found) if one.language == "sh" and two.language == "text"}


START = 3
"""A how-to starts after the tutorial's first blocks of commands: its files exist, and Ana is the actor."""


def commands(page: Path) -> list[Block]:
    """Return the commands of a page in the order in which they are run."""
    run = [block for block in blocks_of(page) if block.language == "sh" and block.mark != NOT_RUN]
    return sorted(run, key=lambda block: block.mark != SET_UP)


def run_page(page: Path, directory: Path, environ: Mapping[str, str], changed: Mapping[str, str]) -> Iterator[Executed]:
    """Run a page. `changed` are words of the page with their replacements here, such as ports in use. The answers contain the
    page's own words."""
    shown = answers(page)
    with Shell(directory, environ) as shell:
        if page.parent.name == "how-to":
            for block in commands(TUTORIAL)[:START]:
                shell.run(_replaced(block.text, changed))
        for block in commands(page):
            output = shell.run(_replaced(block.text, changed))
            yield Executed(block, _replaced(output, {ours: theirs for theirs, ours in changed.items()}), shown.get(block))


_START_OF_WORD = r"(?:(?<!\w)|(?<=\x1b\[\dm)|(?<=\x1b\[\d\dm))"
"""The start of a word. The code of a colour ends with a letter, and the word begins after it."""


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for word, instead in words.items():
        text = re.sub(rf"{_START_OF_WORD}{re.escape(word)}(?!\w)", instead, text)
    return text
