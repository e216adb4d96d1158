"""Validated names of images: Digest, Repository, Reference and ImageRef, each read by one function.

Grammar: the OCI distribution specification and its reference implementation. `docker.io` and `library/` are
filled in, so that two forms of one repository are equal.
"""

from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern

_DIGEST = pattern(r"sha256:([0-9a-f]{64})")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = pattern(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_HOST = pattern(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
    r"|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
)
_TAG = pattern(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DOCKER_HUB = "docker.io"


class BadReference(ValueError):
    """The text is not a valid name. The message says why."""


@dataclass(frozen=True, order=True)
class Digest:
    """A SHA-256 content digest. `str()` returns `sha256:…`."""

    hex: str

    @classmethod
    def parse(cls, text: str) -> "Digest":
        match = _DIGEST.fullmatch(text)
        if not match:
            raise BadReference(f"{text!r} is not a digest: write sha256: and 64 lower-case hex digits")
        return cls(match[1])

    def __str__(self) -> str:
        return f"sha256:{self.hex}"


@dataclass(frozen=True, order=True)
class Repository:
    """A registry host and a path in it, without tag or digest."""

    host: str
    path: str

    @classmethod
    def parse(cls, text: str) -> "Repository":
        reference = Reference.parse(text)
        if reference.tag or reference.digest:
            raise BadReference(f"{text!r} must be a repository without tag or digest")
        return reference.repository

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"


@dataclass(frozen=True)
class Reference:
    """The form that people write: a repository, optionally with a tag and a digest."""

    repository: Repository
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> "Reference":
        rest, at, digest = text.partition("@")
        head, slash, tail = rest.rpartition("/")
        tail, colon, tag = tail.partition(":")
        name = f"{head}{slash}{tail}"
        if colon and not _TAG.fullmatch(tag):
            raise BadReference(f"{text!r} has an invalid tag {tag!r}")
        return cls(_repository(name, text), tag or None, Digest.parse(digest) if at else None)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")


def _repository(name: str, text: str) -> Repository:
    first, slash, rest = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first.startswith("[")):
        host, path = first, rest
    else:
        host, path = DOCKER_HUB, name if slash else f"library/{name}"
    if host in ("index.docker.io", "registry-1.docker.io"):
        host = DOCKER_HUB
    if not _HOST.fullmatch(host):
        raise BadReference(f"{text!r} has an invalid registry host {host!r}")
    if not _PATH.fullmatch(path):
        raise BadReference(f"{text!r} is not an image name: use lower-case letters, digits and . _ - between slashes")
    return Repository(host, path)


@dataclass(frozen=True, order=True)
class ImageRef:
    """The only form that is pulled or run: `repository@sha256:…`."""

    repository: Repository
    digest: Digest

    @classmethod
    def parse(cls, text: str) -> "ImageRef":
        reference = Reference.parse(text)
        if reference.digest is None:
            raise BadReference(f"{text!r} has no digest: expected repository@sha256:…")
        return cls(reference.repository, reference.digest)

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}"
