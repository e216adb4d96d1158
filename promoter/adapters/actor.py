"""Who acts: the CI platform's actor, Git's configured address, or the user of this machine."""

import os
import socket
import subprocess
from collections.abc import Mapping
from getpass import getuser
from pathlib import Path

from promoter.adapters.settings import Settings, _actor_of_ci, in_ci


def who(settings: Settings, directory: Path, environ: Mapping[str, str] | None = None, *, flag: str | None = None) -> str:
    """Return the actor's name for the ledger: the flag; in CI the platform's user; the setting; git's address; user@host."""
    environ = os.environ if environ is None else environ
    of_ci = _actor_of_ci(environ)
    ways = (flag, of_ci if in_ci(environ) else None, settings.actor, of_ci)
    return next((name for name in ways if name), None) or _git_email(directory) or _user_at_host()


def _git_email(directory: Path) -> str | None:
    command = ["git", "config", "user.email"]
    try:
        answer = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return answer.stdout.strip() or None


def _user_at_host() -> str:
    try:
        user = getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
