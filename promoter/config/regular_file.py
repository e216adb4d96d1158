"""Read regular files that a pipeline file or a command line names, up to a size limit and without blocking.

A device has no end, opening a FIFO blocks, and a name may be longer than the file system allows.
"""

import errno
import os
import stat
from pathlib import Path

from promoter.model.errors import CallerError

LARGEST = 16 * 1024 * 1024
_WHOLE_PATH = "name an existing user, or write the absolute path"


def read_regular(path: Path, largest: int = LARGEST) -> bytes:
    """Return the whole file. Raise OSError with the reason in `strerror`, also if it is not a regular file or too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except ValueError as error:
        raise OSError(errno.EINVAL, "Invalid file name", str(path)) from error
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        data = file.read(largest + 1)
    if len(data) > largest:
        raise OSError(errno.EFBIG, f"Longer than {largest:,} bytes", str(path))
    return data


def is_file(path: Path) -> bool:
    """Like `Path.is_file`, but return False for a name that is too long."""
    try:
        return path.is_file()
    except OSError:
        return False


def exists(path: Path) -> bool:
    """Like `Path.exists`, but return False for a name that is too long."""
    try:
        return path.exists()
    except OSError:
        return False


def is_dir(path: Path) -> bool:
    """Like `Path.is_dir`, but return False for a name that is too long."""
    try:
        return path.is_dir()
    except OSError:
        return False


def home_of(name: str) -> Path:
    """Expand `~` in a path. Raise CallerError if the user is unknown."""
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise CallerError(
            f"cannot find the home directory for {name!r}", hint="name an existing user, or write the absolute path"
        ) from error
