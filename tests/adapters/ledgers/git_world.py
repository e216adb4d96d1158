"""A bare repository, a clone of it, and what a test does to them with the real git."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from promoter.adapters.git.command import Git
from promoter.adapters.ledgers.git.store import GitLedger

BRANCH = "promoter-ledger"


class World:
    """`origin` is bare and has one commit on `main`; `clone` is a checkout of it. The user's git configuration is not used."""

    def __init__(self, directory: Path, *, new: bool = False) -> None:
        self.directory, self.origin, self.clone = directory, directory / "origin.git", directory / "clone"
        home = directory / "home"
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        if new:
            self._begin(home)
        else:
            self._copy(Path(_template().name))

    def _begin(self, home: Path) -> None:
        home.mkdir()
        self.configure("user.name", "Ana")
        self.configure("user.email", "ana@example.com")
        self.configure("init.defaultBranch", "main")
        self.git("init", "--quiet", "--bare", str(self.origin))
        self.git("clone", "--quiet", str(self.origin), str(self.clone))
        (self.clone / "Dockerfile").write_text("FROM scratch\n")
        self.git("add", "Dockerfile", at=self.clone)
        self.git("commit", "--quiet", "-m", "Begin", at=self.clone)
        self.git("push", "--quiet", "origin", "HEAD:main", at=self.clone)

    def _copy(self, template: Path) -> None:
        for name in ("home", "origin.git", "clone"):
            shutil.copytree(template / name, self.directory / name, symlinks=True)
        config = self.clone / ".git/config"  # the only file that contains the template's path: the address of origin
        config.write_text(config.read_text().replace(str(template), str(self.directory)))
        self.git("update-index", "-q", "--refresh", at=self.clone)  # the index has the inode and the times of each file

    def git(self, *command: str, at: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *command], cwd=at or self.directory, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def configure(self, name: str, value: str) -> None:
        """Set a value in the user's configuration."""
        self.git("config", "--global", name, value)

    def another(self, name: str, *options: str) -> Path:
        """Make another clone."""
        self.git("clone", "--quiet", *options, f"file://{self.origin}", str(self.directory / name))
        return self.directory / name

    def ledger(
        self,
        at: Path | None = None,
        url: str = f"git:{BRANCH}",
        pipeline: str = "shop",
        sleep: Callable[[float], None] = time.sleep,
    ) -> GitLedger:
        return GitLedger(url, at or self.clone, pipeline, Git(self.environment), sleep)

    def snapshot(self, repository: Path) -> dict[str, bytes]:
        """Return every file of a checkout and of its `.git`, except objects, promoter's own refs and what a push changes."""
        files = (path for path in sorted(repository.rglob("*")) if path.is_file())
        names = {path.relative_to(repository).as_posix(): path for path in files}
        followed = f"refs/remotes/origin/{BRANCH}"
        ours = (".git/objects", ".git/refs/promoter", f".git/{followed}", f".git/logs/{followed}")
        return {name: path.read_bytes() for name, path in names.items() if not name.startswith(ours)}


@cache
def _template() -> TemporaryDirectory[str]:
    """Return a template, made once in each process to save many starts of `git`, then copied. It is removed at the end."""
    directory = TemporaryDirectory(prefix="git-world-")
    World(Path(directory.name), new=True)
    return directory
