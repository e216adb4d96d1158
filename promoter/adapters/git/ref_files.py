"""Read files as they are at a git ref, from the repository and without changing the checkout.

A ref is searched among remote branches first, then local branches, then tags. Git itself tries tags first, but a tag named
`origin/main` can be created by anyone with permission to push tags.

A file name is used as written, relative to the pipeline file. Symbolic links of the checkout are not followed. Symbolic
links in the ref are followed, but only to files of the same ref.
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from promoter.adapters.git.command import Git
from promoter.adapters.git.named_files import words_of
from promoter.model.errors import CallerError
from promoter.model.pattern import pattern

_REF = pattern(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")
_SHA = pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")
_KINDS = ("refs/remotes", "refs/heads", "refs/tags")
_OUTSIDE = "it is outside of the repository, where no git ref can hold it"
_LINKS = (b"symlink", b"dangling", b"loop", b"notdir")
"""Git's answers for a name that is not a file of the commit."""


class GitSnapshot:
    """Snapshot by means of `git cat-file`. `prefix` is the path of `directory` in the repository."""

    def __init__(self, git: Git, directory: Path, prefix: str, commit: str) -> None:
        self._git, self._directory, self._prefix, self.commit = git, directory, prefix, commit

    def read(self, path: Path) -> bytes:
        name = self._name(path)
        content = None if name is None else next(self._read((name,)))
        if name is None or isinstance(content, OSError):
            raise OSError(errno.EXDEV, _OUTSIDE, str(path))
        if content is None:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        return content

    def files(self, directory: Path, argv: Sequence[str]) -> Mapping[str, str]:
        named = {word: name for word in words_of(argv) if (name := self._name(directory / word)) is not None}
        contents = zip(named, self._read(tuple(named.values())), strict=True)
        return {word: f"sha256:{sha256(content).hexdigest()}" for word, content in contents if isinstance(content, bytes)}

    def _name(self, path: Path) -> str | None:
        """Return the path in the repository, from its top; None if it is outside."""
        relative = os.path.relpath(os.path.normpath(path), os.path.normpath(self._directory))
        name = os.path.normpath(Path(self._prefix, relative))  # Path alone does not remove `..`
        return None if name == ".." or name.startswith(("../", "/")) else name

    def _read(self, names: Sequence[str]) -> Iterator[bytes | OSError | None]:
        """Yield the content of each file: an OSError if a link leads outside of the commit, None if there is no file."""
        asked = [name for name in names if "\n" not in name]
        answer = b""
        if asked:
            lines = "".join(f"{self.commit}:{name}\n" for name in asked).encode("utf-8", "surrogateescape")
            answer = self._git.run(self._directory, ("cat-file", "--batch", "--follow-symlinks"), lines).output
        for name in names:
            if "\n" in name:
                yield None
                continue
            header, _, answer = answer.partition(b"\n")
            words = header.split(b" ")
            if words[0] in _LINKS and len(words) == 2:
                text, answer = answer[: int(words[1])], answer[int(words[1]) + 1 :]
                yield OSError(errno.EXDEV, _OUTSIDE, text.decode("utf-8", "replace")) if words[0] == b"symlink" else None
            elif len(words) == 3 and words[2].isdigit():
                content, answer = answer[: int(words[2])], answer[int(words[2]) + 1 :]
                yield content if words[1] == b"blob" else None
            else:
                yield None


def snapshot(git: Git, directory: Path, ref: str) -> GitSnapshot:
    """Return the snapshot of a ref. Raise CallerError if there is no checkout here, or it does not have the ref."""
    if not _REF.fullmatch(ref) or ".." in ref:
        raise CallerError(f"{ref!r} is not a git ref", hint="name a protected branch, such as origin/main")
    prefix = git.run(directory, ("rev-parse", "--show-prefix"))
    if prefix.code != 0:
        raise CallerError(
            f"the policy comes from {ref}, but {directory} is not a git checkout",
            hint="promote from a checkout of the repository that has the pipeline file",
        )
    commit = _commit(git, directory, ref)
    if commit is None:
        raise CallerError(f"the policy comes from {ref}, which this checkout does not have", hint=_fetch(ref))
    return GitSnapshot(git, directory, os.fsdecode(prefix.output).removesuffix("\n"), commit)


def _commit(git: Git, directory: Path, ref: str) -> str | None:
    names = [ref] if ref.startswith("refs/") or _SHA.fullmatch(ref) else [f"{kind}/{ref}" for kind in _KINDS]
    for name in names:
        found = git.run(directory, ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"))
        if found.code == 0:
            return found.text
    return None


def _fetch(ref: str) -> str:
    remote, _, branch = ref.partition("/")
    if not branch or ref.startswith("refs/"):
        return f"fetch it: `git fetch origin {ref}`; in CI, check out with the full history (fetch-depth: 0)"
    return f"fetch it: `git fetch {remote} {branch}:refs/remotes/{ref}`; in CI, check out with fetch-depth: 0"
