"""The location of a ledger in Git: the repository for objects, the remote with the branch, and promoter's refs.

`git:BRANCH` is the repository of the pipeline file: its remote `origin`, else its only one; without any, its own
branch. `git:BRANCH@WHERE` names another remote of it, an address, or a path.
"""

import shutil
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from promoter.adapters.git.command import MISSING, Git
from promoter.adapters.ledgers.git.errors import explain
from promoter.config.regular_file import home_of, is_dir
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError, LedgerError
from promoter.model.pattern import pattern

_BRANCH = pattern(r"(?!.*(\.\.|//|@\{|\.lock(/|$)|/\.))[A-Za-z0-9_][A-Za-z0-9._/+-]*(?<![/.])")
_ADDRESS = pattern(r"[A-Za-z][A-Za-z0-9+.-]*://|[^/]+:")
_CREDENTIALS = pattern(r"//[^/@]*@")
_SPELLING = "write git:BRANCH, or git:BRANCH@WHERE with a remote's name, an address or a path"


@dataclass(frozen=True)
class Location:
    """`directory` is where git runs; `remote` None is the repository there."""

    directory: Path
    remote: str | None
    branch: str

    @property
    def tip(self) -> str:
        """Return the ref of promoter's copy of the branch. The user's remote-tracking refs are not used."""
        return f"{self._own}/tip" if self.remote is not None else self.ref

    @property
    def ref(self) -> str:
        return f"refs/heads/{self.branch}"

    def leases(self, pipeline: str) -> str:
        """Return the prefix of lease refs on the remote. They are not branches, so branch lists and rules ignore them."""
        return f"refs/promoter/leases/{pipeline}"

    def copies(self, pipeline: str) -> str:
        return f"{self._own}/leases/{pipeline}" if self.remote is not None else self.leases(pipeline)

    @property
    def _own(self) -> str:
        return f"refs/promoter/{sha256(f'{self.remote} {self.branch}'.encode()).hexdigest()[:12]}"


def parse(url: str) -> tuple[str, str]:
    """Return branch and WHERE (empty if missing). Raise CallerError."""
    branch, _, where = url.partition(":")[2].partition("@")
    if not _BRANCH.fullmatch(branch) or where.startswith("-") or any(ord(letter) < 32 for letter in where):
        raise CallerError(f"the ledger {shown(url)!r} names no branch that git allows", hint=_SPELLING)
    return branch, where


def shown(url: str) -> str:
    """Remove credentials from an address, for output and files."""
    return _CREDENTIALS.sub("//", url)


def find(git: Git, directory: Path, url: str) -> Location:
    """Find the location. Raise CallerError for a missing remote, LedgerError for a repository that git cannot read."""
    branch, where = parse(url)
    top = git.run(directory, ("rev-parse", "--absolute-git-dir"))
    if top.code == MISSING:
        raise LedgerError(f"the ledger {shown(url)} needs git, which is not installed here", hint="install git")
    if top.code != 0 and "not a git repository" not in top.error:
        raise explain(shown(url), top.error)
    if top.code != 0:
        if not where:
            raise CallerError(
                f"the ledger {shown(url)!r} is in the pipeline's repository, but {directory} is not in a repository",
                hint="run from a checkout, or name the repository: git:BRANCH@ADDRESS",
            )
        return Location(_store(directory), _remote_address(directory, where, ()), branch)
    remotes = git.run(directory, ("remote",)).text.split()
    if where:
        return Location(directory, where if where in remotes else _remote_address(directory, where, remotes), branch)
    if len(remotes) > 1 and "origin" not in remotes:
        raise CallerError(
            f"the ledger {url!r} may be on any of the remotes {', '.join(remotes)}", hint=f"name one: {url}@{remotes[0]}"
        )
    return Location(directory, "origin" if "origin" in remotes else next(iter(remotes), None), branch)


def _remote_address(directory: Path, where: str, remotes: "tuple[str, ...] | list[str]") -> str:
    """Return an address unchanged, a path as an absolute one."""
    if _ADDRESS.match(where):
        return where
    path = (directory / home_of(where)).resolve()
    if not is_dir(path):
        known = f"; its remotes are {', '.join(remotes)}" if remotes else ""
        raise CallerError(
            f"the ledger's repository {where!r} is not a remote, a directory or an address{known}",
            hint=_SPELLING,
        )
    return str(path)


def _store(directory: Path) -> Path:
    """Return promoter's bare repository for a pipeline file outside of a repository; created when first needed."""
    return directory / ".promoter" / "ledger.git"


def ensure(git: Git, location: Location) -> None:
    """Create promoter's repository if it is missing. Atomic, also with several processes."""
    if location.directory.exists():
        return
    location.directory.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".ledger-", dir=location.directory.parent))
    answer = git.run(made, ("init", "--quiet", "--bare", "--template=", "."))
    if answer.code != 0:
        raise explain(str(location.directory), answer.error)
    with suppress(OSError):  # another process was first
        made.rename(location.directory)
    shutil.rmtree(made, ignore_errors=True)
