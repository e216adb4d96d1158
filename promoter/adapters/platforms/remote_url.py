"""Find where a repository is hosted, from the URL of its remote: ssh, the short form of scp, or https."""

import re
from urllib.parse import urlsplit

from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern

_SCP = pattern(r"(?:[^@/\s:]+@)?(?P<host>\[[0-9a-fA-F:]+\]|[^/:\s]+):(?P<path>[^\s]+)")
_PATH = pattern(r"[\w.~-]+(?:/[\w.~-]+)+")
_ALIASES = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com", "www.github.com": "github.com"}


@dataclass(frozen=True)
class Remote:
    """The repository on its host. `host` serves its pages and API, with a port if it is unusual; `path` is its name there."""

    host: str
    path: str

    @property
    def is_gitlab(self) -> bool:
        """Guess from the name of the host; an unknown host is treated as GitHub Enterprise."""
        return any(part == "gitlab" for part in re.split(r"[.:-]", self.host))


def read_remote(url: str) -> Remote | None:
    """Parse the URL of a remote. Return None if it is not a repository on a host, for example a directory."""
    url = url.strip()
    if "://" in url:
        try:
            parts = urlsplit(url)
            port = parts.port if parts.scheme in ("https", "http") else None
        except ValueError:
            return None
        if parts.scheme not in ("https", "http", "ssh", "git", "git+ssh", "ssh+git") or not parts.hostname:
            return None
        host, path = parts.hostname, parts.path
    else:
        found = _SCP.fullmatch(url)
        if found is None:
            return None
        host, path, port = found["host"].strip("[]").lower(), found["path"], None
    path = path.strip("/").removesuffix(".git")
    if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        return None
    host = _ALIASES.get(host, host)
    return Remote(f"{host}:{port}" if port not in (None, 80, 443) else host, path)
