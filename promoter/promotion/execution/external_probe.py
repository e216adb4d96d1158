"""Replace a healthcheck command by a request from outside, if it only fetches a page that is published on this machine.

Pure: it reads the command and returns the address, or None if the command must be run as it is.
"""

import shlex
from collections.abc import Mapping
from urllib.parse import urlsplit

from promoter.model.addresses import EVERY_ADDRESS

_FETCHERS = ("wget", "curl")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_WGET = frozenset(("-q", "-O", "-O-", "-qO-", "-qO", "-O/dev/null", "--spider", "--quiet", "-", "-o", "/dev/null"))
_CURL = frozenset(("-f", "-s", "-S", "-fs", "-sf", "-fsS", "-sS", "-sSf", "-fsSL", "--fail", "--silent", "--show-error"))
_FLAGS = _WGET | _CURL
_SHELL_SIGNS = frozenset("|&;<>()$`\\\"'*?[]#~{}")


def outside_url(test: tuple[str, ...], published: Mapping[str, tuple[str, int]]) -> str | None:
    """Return the published address of the page that `test` fetches from its own container; None for any other command."""
    words = _words(test)
    if len(words) < 2 or words[0].rpartition("/")[2] not in (*_FETCHERS, "busybox"):
        return None
    arguments = words[2:] if words[0].endswith("busybox") and words[1] in _FETCHERS else words[1:]
    urls = [word for word in arguments if word not in _FLAGS]
    if len(urls) != 1:
        return None
    parts = urlsplit(urls[0])
    if parts.scheme != "http" or parts.hostname not in _LOOPBACK or parts.username:
        return None
    host, port = published.get(f"{parts.port or 80}/tcp", ("", 0))
    if not port:
        return None
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    return f"http://{_reachable(host)}:{port}{path}"


def _words(test: tuple[str, ...]) -> tuple[str, ...]:
    if test[0] == "CMD":
        return test[1:]
    line = test[1].removesuffix("|| exit 1").strip()
    return () if _SHELL_SIGNS & set(line) else tuple(shlex.split(line))


def _reachable(host: str) -> str:
    if host in ("", EVERY_ADDRESS):  # every address includes this one
        return "127.0.0.1"
    return f"[{'::1' if host == '::' else host}]" if ":" in host else host
