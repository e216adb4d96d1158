"""The setting `ledger_token`: a login for the server of a ledger in Git, over https only.

git gets it in the environment, never in its command line or in a file, and only for the host of the ledger's remote. git
sends such a header also to the target of a redirect, so redirects are refused.
"""

import base64
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from promoter.adapters.git.command import Git
from promoter.model.pattern import pattern

_USER = "x-access-token"
"""The user of a token without one: GitHub asks for this name, and other servers accept any."""
_HOST = pattern(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")


def login(git: Git, directory: Path, remote: str | None, token: str | None) -> dict[str, str]:
    """Return what to add to the environment of a git command that talks to `remote`, a name or an address."""
    if not token or remote is None:
        return {}
    asked = (("ls-remote", "--get-url", "--", remote), ("remote", "get-url", "--push", "--", remote))
    sites = dict.fromkeys(site for command in asked if (site := site_of(git.run(directory, command).line or "")))
    header = f"Authorization: Basic {base64.b64encode(_credentials(token).encode()).decode()}"
    pairs = [
        pair
        for site in sites
        for pair in (
            (f"http.{site}.extraHeader", ""),  # an empty value removes the headers before it, such as that of actions/checkout
            (f"http.{site}.extraHeader", header),
            (f"http.{site}.followRedirects", "false"),
        )
    ]
    return _configuration(pairs, git.environment) if pairs else {}


def site_of(address: str) -> str | None:
    """Return scheme, host and port of an https address, as git's configuration names them; None for any other address."""
    try:
        parts = urlsplit(address)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return None
    if parts.scheme.lower() != "https" or not _HOST.fullmatch(host):
        return None
    return f"https://{f'[{host}]' if ':' in host else host}{'' if port is None else f':{port}'}/"


def _credentials(token: str) -> str:
    return token if ":" in token else f"{_USER}:{token}"


def _configuration(pairs: list[tuple[str, str]], environ: Mapping[str, str]) -> dict[str, str]:
    """Write settings as variables, after those that the environment has already."""
    count = environ.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isascii() and count.isdigit() else 0
    added = {"GIT_CONFIG_COUNT": str(first + len(pairs))}
    for number, (key, value) in enumerate(pairs, first):
        added |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return added
