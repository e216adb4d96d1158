"""The files through which a CI gets results. Errors are returned, not raised: they must not change how a run ends."""

from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def append(path: str, text: str) -> str | None:
    """Append to a file that others write to as well. Return the reason if that fails."""
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
    except OSError as error:
        return _why(error)
    return None


def replace(path: Path, data: bytes) -> str | None:
    """Replace a file atomically. Return the reason if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(data)
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError as error:
        with suppress(OSError, UnboundLocalError):
            Path(file.name).unlink()
        return _why(error)
    return None


def size(path: str) -> int:
    """Return the size of the file in bytes."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def relative(file: str, directory: Path, workspace: str | None) -> str | None:
    """Return a file's path in the checkout, as the platform names it; None for files outside of it."""
    if not workspace:
        return None
    root = Path(workspace).resolve()
    for candidate in (Path(file), directory / file):
        found = candidate.resolve()
        if found.is_file() and found.is_relative_to(root):
            return found.relative_to(root).as_posix()
    return None


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
