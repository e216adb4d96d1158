"""The git checkout around a directory: where it begins, and where its code is hosted. For what is written for a CI platform."""

import re
from dataclasses import dataclass
from pathlib import Path

from promoter.adapters.git.command import Git

_SCP = re.compile(r"(?:[^@/]+@)?([^:/]+):(?!//)(.+)")
_URL = re.compile(r"[a-z+]+://(?:[^@/]*@)?([^:/]+)(?::\d+)?/(.+)")


@dataclass(frozen=True, slots=True)
class Checkout:
    """`host` and `path` are of the remote `origin`, such as github.com and acme/shop; empty where there is none."""

    root: Path
    branch: str = "main"
    host: str = ""
    path: str = ""


def checkout_of(directory: Path) -> Checkout | None:
    """None where the directory is in no checkout, or there is no git."""
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
