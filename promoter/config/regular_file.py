"""Reads files that a pipeline file or a command line names: regular ones, up to a bound, and never waits for one.

A device has no end, a FIFO blocks whoever opens it, and a name may be longer than the file system takes.
"""

import errno
import os
import stat
from pathlib import Path

from promoter.model.errors import CallerError

LARGEST = 16 * 1024 * 1024
_WHOLE_PATH = "name an existing user, or write the whole path"


def read_regular(path: Path, largest: int = LARGEST) -> bytes:
    """All of it. Raises OSError whose `strerror` says why, also for what is not a regular file or is larger than `largest`."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except ValueError as error:
        raise OSError(errno.EINVAL, "The name is not one that a file can have", str(path)) from error
    with open(handle, "rb") as file:  # noqa: PTH123 -- a descriptor, which Path does not open
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
    """As `Path.is_file`, which raises for a name that is too long."""
    return os.path.isfile(path)  # noqa: PTH113


def exists(path: Path) -> bool:
    """As `Path.exists`, which raises for a name that is too long."""
    return os.path.exists(path)  # noqa: PTH110


def is_dir(path: Path) -> bool:
    """As `Path.is_dir`, which raises for a name that is too long."""
    return os.path.isdir(path)  # noqa: PTH112


def home_of(name: str) -> Path:
    """The path with its `~` filled in. Raises CallerError for the home directory of an unknown user."""
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise CallerError(
            f"no home directory is known for {name!r}", hint="name an existing user, or write the whole path"
        ) from error
