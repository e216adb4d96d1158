"""The files that the words of a command name, with their digests: on the disk, or at a git ref.

Some words of a command name programs and scripts of the repository. On the disk, only files that git tracks count: a
report that the job has just created is ignored. Without git, every file counts. A file outside of the repository gets a
mark instead of a digest. The mark is never equal to what a ref has.
"""

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from promoter.adapters.git.command import Git

OUTSIDE = "outside of the repository"
_PIECE = 1 << 20


def words_of(argv: Iterable[str]) -> tuple[str, ...]:
    """Return every word that could name a file: each argument, each word in it, and the value of an option written with `=`."""
    found: list[str] = []
    for argument in argv:
        for word in dict.fromkeys((argument, *_split(argument))):
            found += [word, word.partition("=")[2]] if word.startswith("-") else [word]
    return tuple(dict.fromkeys(word for word in found if word and "\n" not in word and "\0" not in word and word[0] not in "-/"))


def files_on_disk(git: Git, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
    """Return the digests of the regular files that git tracks, by word. For a symbolic link, the digest of its target."""
    ends = {word: end for word in words_of(argv) if (end := _end(directory / word)) is not None}
    if not ends:
        return {}
    top = git.run(directory, ("rev-parse", "--show-toplevel"))
    if top.code != 0:
        return {word: digest for word, end in ends.items() if (digest := _digest(end)) is not None}
    root = Path(os.path.realpath(top.text))
    inside = {end.relative_to(root).as_posix(): end for end in ends.values() if end.is_relative_to(root)}
    tracked = _tracked(git, root, tuple(inside))
    found: dict[str, str] = {}
    for word, end in ends.items():
        digest = OUTSIDE if not end.is_relative_to(root) else _digest(end) if end in tracked else None
        if digest is not None:
            found[word] = digest
    return found


def _tracked(git: Git, root: Path, names: Sequence[str]) -> frozenset[Path]:
    if not names:
        return frozenset()
    answer = git.run(root, ("--literal-pathspecs", "ls-files", "-z", "--", *names))
    listed = answer.output.decode("utf-8", "surrogateescape").split("\0") if answer.code == 0 else names
    return frozenset(root / name for name in listed if name)


def _split(argument: str) -> list[str]:
    try:
        return shlex.split(argument)
    except ValueError:
        return argument.split()


def _end(path: Path) -> Path | None:
    try:
        end = Path(os.path.realpath(path))
        return end if end.is_file() else None
    except (OSError, ValueError):
        return None


def _digest(path: Path) -> str | None:
    known = sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                known.update(piece)
    except OSError:
        return None
    return f"sha256:{known.hexdigest()}"
