"""The files through which a CI hears of a run. None of them may change how the run ends: what fails is said, not raised."""

from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile


def append(path: str, text: str) -> str | None:
    """Adds to a file that others add to as well. Gives the reason when that cannot be done."""
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace", newline="") as file:
            file.write(text)
    except OSError as error:
        return _why(error)
    return None


def replace(path: Path, data: bytes) -> str | None:
    """A whole file or the earlier one, never half of it. Gives the reason when that cannot be done."""
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
    """Bytes that stand there already."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def relative(file: str, beside: Path, workspace: str | None) -> str | None:
    """Where a file stands in the checkout, as the platform names it; None for what is no file there."""
    if not workspace:
        return None
    root = Path(workspace).resolve()
    for candidate in (Path(file), beside / file):
        found = candidate.resolve()
        if found.is_file() and found.is_relative_to(root):
            return found.relative_to(root).as_posix()
    return None


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
