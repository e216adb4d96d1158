"""A token for a platform's API: where it comes from, and its protection from being shown outside of the HTTP header."""

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
    """A token. `origin` names where it was found, for messages. Only `reveal` returns its text."""

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
    """Return the token for `host`. It is sent to no other host. Raise CallerError, with what to set, if there is none."""
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
    """Return whether the token of a variable is for `host`, because the variable itself does not name its host.

    It is for the public host of the platform, and for a host that the variables of CI or the user name.
    """
    host = _bare(host)
    if platform is Platform.GITHUB:
        own = host == "github.com" or host.endswith(".ghe.com")
        addresses = [environ.get(one, "") for one in ("GITHUB_API_URL", "GH_HOST")]
    else:
        own = host == "gitlab.com" and name != "CI_JOB_TOKEN"
        addresses = [environ.get(one, "") for one in ("CI_API_V4_URL", "CI_SERVER_HOST", "GITLAB_HOST")]
    return own or host in {_bare(one) for one in addresses if one}


def _bare(address: str) -> str:
    """Return only the host of an address, or of a host with a port."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""


def _from_gh(host: str) -> Token | None:
    """Return the token with which GitHub's own program (gh) is logged in at exactly this host."""
    if shutil.which("gh") is None:
        return None
    ended = run(["gh", "auth", "token", "--hostname", host], Path.cwd(), {}, _GH_TIMEOUT, separate=True, keep=4096)
    text = ended.output.decode("utf-8", "replace").strip()
    return Token(text, "gh auth token") if ended.exit_code == 0 and text and "\n" not in text else None
