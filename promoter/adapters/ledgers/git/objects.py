"""Git's objects, read through one `git cat-file --batch` process."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from promoter.adapters.ledgers.git.errors import explain

if TYPE_CHECKING:
    from promoter.adapters.ledgers.git.remote import Wire

_WINDOW = 200
"""The number of objects in one request: few enough that their names fit into the pipe without a deadlock."""


class Entry(NamedTuple):
    """A line of a tree."""

    mode: str
    object: str
    name: str

    @property
    def raw(self) -> bytes:
        """Return the entry in the format of a tree object."""
        return f"{self.mode} {self.name}\0".encode("utf-8", "surrogateescape") + bytes.fromhex(self.object)

    @property
    def order(self) -> bytes:
        """Return the sort key: Git sorts a directory as if its name ended with a slash."""
        return f"{self.name}{'/' if self.mode == '40000' else ''}".encode("utf-8", "surrogateescape")


class Objects:
    """The objects of a commit `tip`. Use as a context manager: the process ends with it."""

    def __init__(self, wire: "Wire", tip: str) -> None:
        self._wire, self._size = wire, len(tip) // 2

    def __enter__(self) -> Self:
        self._process = self._wire.start("cat-file", "--batch")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.kill()  # it only reads
        self._process.communicate()

    def get(self, name: str) -> bytes | None:
        """Return a file's content; None if there is no such file."""
        return next(self._ask([name], b"blob"))

    def tree(self, name: str) -> list[Entry]:
        """Return the entries of a directory; none if it is missing."""
        found: list[Entry] = []
        tree, at = next(self._ask([name], b"tree")) or b"", 0
        while at < len(tree):
            end = tree.index(b"\0", at)
            mode, _, file = tree[at:end].partition(b" ")
            at = end + 1 + self._size
            found.append(Entry(mode.decode(), tree[end + 1 : at].hex(), file.decode("utf-8", "surrogateescape")))
        return found

    def each(self, wanted: Iterable[tuple[int, str]]) -> Iterator[tuple[int, bytes]]:
        """Yield contents of files with their numbers. `wanted` may read trees meanwhile."""
        rest = iter(wanted)
        while window := list(islice(rest, _WINDOW)):
            contents = self._ask([name for _, name in window], b"blob")
            for (number, name), content in zip(window, contents, strict=True):
                if content is None:
                    raise explain(self._wire.name, f"the object {name} of fact {number} is missing in this repository")
                yield number, content

    def _ask(self, names: list[str], kind: bytes) -> Iterator[bytes | None]:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        with suppress(BrokenPipeError):  # git has ended: the missing answer is reported below
            asked.write("".join(f"{name}\n" for name in names).encode())
            asked.flush()
        for name in names:
            header = answers.readline()
            if header.endswith(b" missing\n"):
                yield None
                continue
            words = header.split()
            if len(words) != 3:
                raise explain(self._wire.name, f"git cat-file ended at {name}: {header.decode(errors='replace')}")
            content = answers.read(int(words[2]))
            answers.read(1)
            if words[1] != kind:
                raise explain(self._wire.name, f"{name} is a {words[1].decode()} in this repository, not a {kind.decode()}")
            yield content


def written(wire: "Wire", contents: Sequence[bytes]) -> list[str]:
    """Store new contents and return their object names. Many contents are stored as one pack."""
    if len(contents) == 1:
        return [wire.asked("hash-object", "-w", "--stdin", given=contents[0])]
    with TemporaryDirectory(prefix="promoter-") as directory:
        marks = Path(directory) / "marks"
        stream = b"".join(b"blob\nmark :%d\ndata %d\n%s\n" % (n, len(text), text) for n, text in enumerate(contents, 1))
        wire.asked("fast-import", "--quiet", f"--export-marks={marks}", given=stream)
        names = dict(re.findall(r"^:(\d+) ([0-9a-f]+)$", marks.read_text(), re.MULTILINE))
    return [names[str(n)] for n in range(1, len(contents) + 1)]
