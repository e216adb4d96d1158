"""Local files beside the pipeline file that containers mount and checks run. Their content is part of the plan.

In a Git checkout only the tracked files of a folder count, since only a commit can add others; what a container writes into
its folder is data, and not part of a plan.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from promoter.config.regular_file import is_dir, is_file
from promoter.gates.checks import Check, CommandCheck
from promoter.model.errors import CallerError
from promoter.pipeline.compose.service import Service
from promoter.pipeline.model import LocalFile


class Checkout(Protocol):
    """Port: which files are under version control."""

    def top(self, directory: Path) -> Path | None:
        """Return the top folder of the checkout that contains `directory`; None outside a checkout."""

    def tracked(self, folder: Path, *, untracked: bool) -> list[Path] | None:
        """Return the tracked files of a folder, and on request the untracked, not ignored ones; None outside a checkout."""


class NoCheckout:
    """The `Checkout` outside a checkout."""

    def top(self, _: Path) -> Path | None:
        return None

    def tracked(self, _: Path, *, untracked: bool) -> list[Path] | None:  # noqa: ARG002 -- the signature of `Checkout`
        return None


NO_CHECKOUT = NoCheckout()
MOST_FILES = 20_000
MOST_BYTES = 512 << 20
"""A larger folder is refused: hashing it for every plan would take longer than the promotion."""


def local_files(
    directory: Path, services: Iterable[Service], checks: Iterable[Check], checkout: Checkout
) -> tuple[LocalFile, ...]:
    """Return local files, ordered by path. Raise CallerError for a folder that is too large for a plan."""
    mounts = [mount for service in services for mount in service.volumes if mount.type == "bind" and mount.source]
    sources = {str(mount.source): mount.read_only for mount in mounts}
    programs = [word for check in checks if isinstance(check, CommandCheck) for word in check.run]
    if not sources and not programs:
        return ()
    top = _top(directory, checkout) if sources else directory
    found = {source: local_digest(Path(source), checkout, read_only=ro) for source, ro in sources.items() if _inside(source, top)}
    found |= {str(path): _file_digest(path) for path in (_program(directory, word) for word in programs) if path is not None}
    return tuple(sorted((LocalFile(shown(directory, s), s, digest) for s, digest in found.items()), key=lambda f: f.path))


def local_digest(path: Path, checkout: Checkout, *, read_only: bool) -> str | None:
    """Return the digest of a file, or of a folder's names, modes and contents; None for data and unreadable files."""
    if is_file(path):
        return _file_digest(path)
    return _folder_digest(path, _members(path, checkout, read_only=read_only)) if is_dir(path) else None


def shown(directory: Path, source: str) -> str:
    """Return a path as plans show it: relative to the pipeline file."""
    relative = os.path.relpath(source, directory)
    return relative if relative.startswith("..") else f"./{relative}"


def _program(directory: Path, word: str) -> Path | None:
    """Return the local file that a word of a command names: the program itself, or a script argument."""
    if "\0" in word or len(word) > 255 or Path(word).is_absolute():
        return None
    path = directory / word
    return path if is_file(path) else None


def _inside(source: str, top: Path) -> bool:
    return Path(source).is_relative_to(top) and Path(source) != top


def _top(directory: Path, checkout: Checkout) -> Path:
    """Return the top folder of the checkout, or else the folder of the pipeline file."""
    top = checkout.top(directory)
    return top if top and directory.is_relative_to(top) else directory


def _members(folder: Path, checkout: Checkout, *, read_only: bool) -> list[Path] | None:
    """Return the files of a folder that count; None if all of it is data."""
    names = checkout.tracked(folder, untracked=read_only)
    if names is not None:
        return sorted(names) or ([] if read_only else None)
    return sorted(_files_below(folder)) if read_only else None


def _files_below(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        yield from (Path(root) / name for name in names)


def _folder_digest(folder: Path, members: list[Path] | None) -> str | None:
    if members is None:
        return None
    if len(members) > MOST_FILES:
        raise _too_large(folder, f"{len(members)} files, more than {MOST_FILES}")
    total, whole = 0, hashlib.sha256()
    for path in members:
        try:
            seen = path.lstat()
        except OSError:  # tracked, but deleted in the working tree
            continue
        total += seen.st_size
        if total > MOST_BYTES:
            raise _too_large(folder, f"more than {MOST_BYTES >> 20} MiB")
        kind = "l" if stat.S_ISLNK(seen.st_mode) else "x" if seen.st_mode & stat.S_IXUSR else "f"
        content = _file_digest(path) if stat.S_ISREG(seen.st_mode) else str(path.readlink()) if kind == "l" else None
        if content is not None:
            whole.update(f"{kind} {path.relative_to(folder)}\0{content}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{whole.hexdigest()}"


def _file_digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError:
        return None


def _too_large(folder: Path, why: str) -> CallerError:
    return CallerError(
        f"the mounted folder {folder} is too large for a plan: it has {why}",
        hint="copy it into the image, mount a smaller folder, or use a named volume",
    )
