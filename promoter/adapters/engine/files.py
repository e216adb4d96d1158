"""Files that are put into a container before its first start, as a tar that the engine unpacks at `/`; and one that is read.

It contains only files: an entry for a folder would change the owner and mode of a folder in the image.
"""

import io
import tarfile
from collections.abc import Callable, Iterable

from promoter.promotion.ports.container import FileContent


def archive(files: Iterable[FileContent], reveal: Callable[[str], str]) -> bytes:
    """Return the tar of the files. It has no parent folders: the engine creates those that are missing."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            content = reveal(file.content).encode()
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(content), file.mode, file.uid, file.gid
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def text_in(content: bytes) -> str | None:
    """Return the text of the only file in a tar of the engine; None if it has something else, such as a folder."""
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        entry = tar.next()
        file = tar.extractfile(entry) if entry is not None and entry.isfile() else None
        return None if file is None else file.read().decode(errors="replace")
