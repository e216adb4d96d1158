"""Files that go into a container before its first start, as the tar that the engine unpacks at `/`.

Only files are in it: a folder's entry would change the owner and mode of one that the image has.
"""

import io
import tarfile
from collections.abc import Callable, Iterable

from promoter.promotion.ports.engine import FileContent


def archive(files: Iterable[FileContent], reveal: Callable[[str], str]) -> bytes:
    """Missing parent folders are made by the engine."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for file in files:
            content = reveal(file.content).encode()
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.size, entry.mode, entry.uid, entry.gid = len(content), file.mode, file.uid, file.gid
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
