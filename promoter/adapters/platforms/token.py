"""A token for a platform's API: its origin, and protection from being shown outside of its HTTP header."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from promoter.adapters.subprocess import run
from promoter.model.errors import CallerError
from promoter.usecases.ports.platform import Platform

_GH_TIMEOUT = 10.0
_VARIABLES: Mapping[Platform, tuple[str, ...]] = {
    Platform.GITHUB: ("GITHUB_TOKEN", "GH_TOKEN"),
    Platform.GITLAB: ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
}


class Token:
    """`origin` names where it was found, for people. Only `reveal` returns its text."""

    def __init__(self, text: str, origin: str) -> None:
        self._text, self.origin = text.strip(), origin

    def reveal(self) -> str:
        return self._text

    def hide(self, text: str) -> str:
        """Remove the token from `text`, in case a server sent it back."""
        return text.replace(self._text, "[token]")

    def __repr__(self) -> str:
        return f"<the token of {self.origin}>"


def find_token(platform: Platform, host: str, environ: Mapping[str, str]) -> Token:
    """The token for `host`. Raises CallerError, naming what to set, when there is none: it goes to no host but its own."""
    held: str | None = None
    for name in _VARIABLES[platform]:
        if environ.get(name, "").strip():
            if _is_for(platform, name, host, environ):
                return Token(environ[name], name)
            held = held or name
    if platform is Platform.GITHUB and (found := _from_gh(host)) is not None:
        return found
    if held is not None:
        other, way = {Platform.GITHUB: ("github.com", "GH_HOST"), Platform.GITLAB: ("gitlab.com", "GITLAB_HOST")}[platform]
        raise CallerError(
            f"{held} is not sent to {host}: it may be a token for {other}",
            hint=f"if it is for {host}, set {way}={host}; else check `git remote get-url origin`",
        )
    ways = {
        Platform.GITHUB: "set GITHUB_TOKEN or GH_TOKEN (in a workflow: `GITHUB_TOKEN: ${{ github.token }}` under `env:`), "
        "or run gh auth login",
        Platform.GITLAB: "set GITLAB_TOKEN to a project or personal access token",
    }
    raise CallerError(f"there is no token for {platform.shown} at {host}", hint=ways[platform])


def _is_for(platform: Platform, name: str, host: str, environ: Mapping[str, str]) -> bool:
    """A variable does not name its host: it is the platform's own, or the one that CI or a person names."""
    host = _bare(host)
    if platform is Platform.GITHUB:
        own = host == "github.com" or host.endswith(".ghe.com")
        addresses = [environ.get(one, "") for one in ("GITHUB_API_URL", "GH_HOST")]
    else:
        own = host == "gitlab.com" and name != "CI_JOB_TOKEN"
        addresses = [environ.get(one, "") for one in ("CI_API_V4_URL", "CI_SERVER_HOST", "GITLAB_HOST")]
    return own or host in {_bare(one) for one in addresses if one}


def _bare(address: str) -> str:
    """The host alone, of an address or of a host with a port."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def _from_gh(host: str) -> Token | None:
    """The one that GitHub's own program is logged in with at this very host."""
    if shutil.which("gh") is None:
        return None
    ended = run(["gh", "auth", "token", "--hostname", host], Path.cwd(), {}, _GH_TIMEOUT, apart=True, keep=4096)
    text = ended.output.decode("utf-8", "replace").strip()
    return Token(text, "gh auth token") if ended.exit_code == 0 and text and "\n" not in text else None
