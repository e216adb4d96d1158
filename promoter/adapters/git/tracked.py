"""The files that git tracks."""

import os
from pathlib import Path

from promoter.adapters.git.command import Git


class GitCheckout:
    """A `Checkout` by means of git. Outside of a checkout, or without git, it returns None."""

    def top(self, directory: Path) -> Path | None:
        line = Git().run(directory, ("rev-parse", "--show-toplevel"), timeout=10).line
        return Path(line) if line else None

    def tracked(self, folder: Path, *, untracked: bool) -> list[Path] | None:
        more = ("--others", "--exclude-standard") if untracked else ()
        answer = Git().run(folder, ("ls-files", "-z", "--cached", *more), timeout=60)
        if answer.code != 0:
            return None
        return [folder / os.fsdecode(name) for name in answer.output.split(b"\0") if name]
