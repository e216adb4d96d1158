"""Refs here and on the remote: fetched into promoter's own refs, and pushed only if unchanged since they were read.

The user's branches, hooks, index and work tree are not touched. A remote-tracking ref follows, as after any push.
"""

import subprocess
import time
from collections.abc import Callable
from enum import Enum
from functools import cached_property
from pathlib import Path

from promoter.adapters.git.command import TIMED_OUT, Answer, Git
from promoter.adapters.ledgers.git.errors import explain
from promoter.adapters.ledgers.git.location import Location, ensure, shown
from promoter.adapters.ledgers.git.token import login
from promoter.adapters.retry import Retry, jitter
from promoter.model.errors import LedgerError

NETWORK = 60.0
"""Seconds for one command with a remote."""
LOCAL = 60.0
"""Seconds for one local command; a signature may need a touch of a key."""
_SETTINGS = ("core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false", "advice.pushFetchFirst=false")
_QUIET = tuple(word for setting in _SETTINGS for word in ("-c", setting))
_FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-filter",
    "--refmap=",
)
_PUSH = ("push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no", "--no-progress")
_DURABLE = "core.fsync=objects,derived-metadata,reference"
"""Makes git flush loose objects to the disk: if the ledger is on this disk, a power failure must not lose them."""
_RACES = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
    "reference already exists",
    "failed to lock",
    "needs force",
)
_BUSY = ("cannot lock ref", ".lock': File exists", "unable to update local ref", "but expected")
_ABSENT = "couldn't find remote ref"
_TURNS, _TURN = 20, 0.2
"""The number of attempts to fetch while others do, and the longest wait in seconds."""


class Pushed(Enum):
    DONE = "done"
    BEATEN = "beaten"
    """The ref has changed: another writer was first. Nothing was changed."""
    UNKNOWN = "unknown"
    """The answer was lost: the ref may have changed or not."""


class Wire:
    """The refs of one `Location`. Raises LedgerError with what is missing. `token` is a login for an https remote."""

    def __init__(self, git: Git, target: Location, sleep: Callable[[float], None] = time.sleep, token: str | None = None) -> None:
        self.target, self._token = target, token
        self._git, self._sleep, self._retry = git, sleep, Retry(sleep)
        self.name = f"git:{target.branch}@{shown(target.remote)}" if target.remote is not None else f"git:{target.branch}"

    def start(self, *command: str) -> "subprocess.Popen[bytes]":
        """Start a git that reads standard input."""
        return self._git.start(self.target.directory, (*_QUIET, *command), asked=True)

    def git(
        self, *command: str, given: bytes | None = None, more: dict[str, str] | None = None, timeout: float = LOCAL
    ) -> Answer:
        durable = ("-c", _DURABLE) if self.target.remote is None else ()
        return self._git.run(self.target.directory, (*_QUIET, *durable, *command), given, timeout=timeout, more=more)

    def asked(self, *command: str, given: bytes | None = None, more: dict[str, str] | None = None) -> str:
        """Return git's output; raise if it fails."""
        answer = self.git(*command, given=given, more=more)
        if answer.code != 0:
            raise explain(self.name, answer.error)
        return answer.text

    def ensure(self) -> None:
        """Create what a write needs."""
        ensure(self._git, self.target)

    # ------------------------------------------------------------ fetch
    def tip(self) -> str | None:
        """Fetch the branch and return its last commit; None if there is no branch."""
        target = self.target
        if target.remote is not None and not self._retry(lambda: self._fetched(f"+{target.ref}:{target.tip}", *self._depth())):
            return None
        return self.git("rev-parse", "--verify", "--quiet", f"{target.tip}^{{commit}}").line

    def leases(self, pipeline: str) -> dict[str, tuple[str, str]]:
        """Fetch all leases, also released ones; return name, commit and message of each."""
        copies = self.target.copies(pipeline)
        if self.target.remote is not None:
            refs = f"+{self.target.leases(pipeline)}/*:{copies}/*"
            if not self._retry(lambda: self._fetched(refs, "--prune")):
                return {}
        if not self.target.directory.exists():
            return {}
        rows = self.asked("for-each-ref", "--format=%(objectname) %(refname) %(contents:subject)", f"{copies}/").split("\n")
        found = [row.split(" ", 2) for row in rows if row]
        return {ref.removeprefix(f"{copies}/"): (commit, subject) for commit, ref, subject in found}

    def _fetched(self, refs: str, *options: str) -> bool:
        """Fetch refs; False if the remote has none of them."""
        if not self.target.directory.exists():
            if not self._there(refs.removeprefix("+").partition(":")[0]):
                return False
            self.ensure()
        answer = self._in_turn(*_FETCH, *options, "--", str(self.target.remote), refs)
        if answer.code == 0:
            return True
        if _ABSENT in answer.error:
            self.git("update-ref", "-d", self.target.tip)
            return False
        raise explain(self.name, answer.error)

    def _in_turn(self, *command: str) -> Answer:
        """Run a fetch again if another fetch into this repository was first: one of them always succeeds."""
        for _ in range(_TURNS - 1):
            answer = self.git(*command, more=self._login, timeout=NETWORK)
            if answer.code == 0 or not any(word in answer.error for word in _BUSY):
                return answer
            self._sleep(jitter(_TURN))
        return self.git(*command, more=self._login, timeout=NETWORK)

    def _depth(self) -> tuple[str, ...]:
        """Return `--depth` options: the last commit holds every fact. A full repository must not become shallow."""
        directory = self.target.directory
        return ("--depth=1",) if directory.exists() and self.git("rev-parse", "--is-shallow-repository").text == "true" else ()

    def _there(self, ref: str) -> bool:
        """Ask the remote without a repository, from the directory of the pipeline file."""
        command = (*_QUIET, "ls-remote", "--", str(self.target.remote), ref)
        answer = self._git.run(self._base, command, timeout=NETWORK, more=self._login)
        if answer.code != 0:
            raise explain(self.name, answer.error)
        return bool(answer.text)

    @cached_property
    def _login(self) -> dict[str, str]:
        """What to add to git's environment for commands with the remote."""
        return login(self._git, self._base, self.target.remote, self._token)

    @property
    def _base(self) -> Path:
        """Return a directory that exists: promoter's own repository is created at the first write."""
        directory = self.target.directory
        return directory if directory.exists() else directory.parent.parent

    # ------------------------------------------------------------ push
    def move(self, ref: str, to: str, seen: str | None) -> Pushed:
        """Set `ref` to the commit `to` if it is `seen` (None: missing), atomically. Raise LedgerError when refused."""
        if self.target.remote is None:
            return self._update_local(ref, to, seen)
        receiver = (f"--receive-pack=git -c {_DURABLE} receive-pack",) if Path(self.target.remote).is_absolute() else ()
        lease = f"--force-with-lease={ref}:{seen or ''}"
        answer = self.git(*_PUSH, *receiver, lease, "--", self.target.remote, f"{to}:{ref}", more=self._login, timeout=NETWORK)
        verdict = next((line for line in answer.output.decode("utf-8", "replace").splitlines() if f":{ref}\t" in line), None)
        if answer.code == 0:
            return Pushed.DONE
        if verdict is not None and verdict.startswith("!"):
            if any(word in verdict for word in _RACES):
                return Pushed.BEATEN
            if "remote failed to report status" not in verdict:
                raise explain(self.name, f"{answer.error}\n{verdict.rpartition(chr(9))[2]}")
        error = explain(self.name, answer.error)
        if answer.code != TIMED_OUT and not error.retryable:
            raise error
        return Pushed.UNKNOWN

    def _update_local(self, ref: str, to: str, seen: str | None) -> Pushed:
        if at := self.git("for-each-ref", "--format=%(worktreepath)", ref).line:
            raise LedgerError(
                f"the ledger {self.name} is a branch that is checked out at {at}", hint="check out another branch there"
            )
        answer = self.git("update-ref", "--create-reflog", "-m", "promoter", ref, to, seen or "0" * len(to))
        if answer.code == 0:
            return Pushed.DONE
        if any(word in answer.error for word in _BUSY):
            return Pushed.BEATEN
        raise explain(self.name, answer.error)
