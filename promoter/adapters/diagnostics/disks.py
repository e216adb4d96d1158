"""Free disk space here, and of the engine if it runs on this machine."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from promoter.adapters.diagnostics import engines
from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.model.errors import PromoterError

ENOUGH = 1_000_000_000


def check(subject: Subject) -> Iterator[Finding]:
    yield assess("disk", "here", shutil.disk_usage(_existing(subject.directory)).free)
    for address in subject.engines:
        folder = _storage_directory(subject, address)
        if folder is not None:
            yield assess(f"disk of {engines.title(address)}", f"in {folder}", shutil.disk_usage(folder).free)


def assess(part: str, where: str, free: int) -> Finding:
    good = free >= ENOUGH
    return Finding(
        part, good, True, f"{free / 1e9:.1f} GB free {where}", None if good else "free some space: docker system prune"
    )


def _storage_directory(subject: Subject, address: str | None) -> Path | None:
    """Return the engine's data directory if it is on this machine. Other engines do not report their disks."""
    try:
        where, info = engines.asked(subject, address)
    except PromoterError:
        return None
    folder = Path(info.root)
    return folder if where.startswith("unix:") and info.root and os.access(folder, os.X_OK) else None


def _existing(directory: Path) -> Path:
    return next(folder for folder in (directory, *directory.parents) if folder.exists())
