"""The git checkout around a directory: its top directory, and where its code is hosted. Used to write files for a CI platform."""

from pathlib import Path

from promoter.adapters.git.command import Git
from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern

_SCP = pattern(r"(?:[^@/]+@)?([^:/]+):(?!//)(.+)")
_URL = pattern(r"[a-z+]+://(?:[^@/]*@)?([^:/]+)(?::\d+)?/(.+)")


@dataclass(frozen=True)
class Checkout:
    """A git checkout.

    `host` and `path` come from the remote `origin`, for example github.com and acme/shop; they are empty without one.
    """

    root: Path
    branch: str = "main"
    host: str = ""
    path: str = ""


def checkout_of(directory: Path) -> Checkout | None:
    """Return the checkout around a directory, or None if there is none or git is missing."""
    git = Git()

    def asked(*words: str) -> str:
        return git.run(directory, words).line or ""

    top = asked("rev-parse", "--show-toplevel")
    if not top:
        return None
    default = asked("rev-parse", "--abbrev-ref", "--verify", "--quiet", "origin/HEAD").removeprefix("origin/")
    branch = default or asked("symbolic-ref", "--short", "--quiet", "HEAD") or "main"
    remote = asked("remote", "get-url", "origin")
    match = _URL.fullmatch(remote) or _SCP.fullmatch(remote)
    host, path = (match[1].lower(), match[2].strip("/").removesuffix(".git")) if match else ("", "")
    return Checkout(Path(top), branch, host, path)
