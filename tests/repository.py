"""A git repository for one test, with a remote whose branch is protected."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.com",
    "GIT_COMMITTER_NAME": "Ben",
    "GIT_COMMITTER_EMAIL": "ben@example.com",
}


@dataclass(frozen=True)
class Repository:
    """A checkout on the branch `work`. `merge` pushes its content to the remote's `main`, and fetches."""

    directory: Path

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.directory, env=ENVIRONMENT, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "a change")
        return self.git("rev-parse", "HEAD")

    def merge(self) -> str:
        sha = self.commit()
        self.git("push", "-q", "origin", "HEAD:main")
        self.git("fetch", "-q", "origin")
        return sha


def repository(directory: Path) -> Repository:
    remote, checkout = directory / "remote.git", directory / "checkout"
    checkout.mkdir()
    made = Repository(checkout)
    made.git("init", "-q", "--bare", str(remote))
    made.git("init", "-q", "-b", "work")
    made.git("remote", "add", "origin", str(remote))
    return made
