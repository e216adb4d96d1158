"""A token for a platform's API: where it comes from, and that nothing shows it but the one header that carries it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from promoter.adapters.child import run
from promoter.model.errors import CallerError
from promoter.model.forge import Platform

_GH_TIMEOUT = 10.0
_VARIABLES: Mapping[Platform, tuple[str, ...]] = {
    Platform.GITHUB: ("GITHUB_TOKEN", "GH_TOKEN"),
    Platform.GITLAB: ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
}


class Token:
    """`origin` names where it was found, for people. Its text is shown by no other way than `reveal`."""

    def __init__(self, text: str, origin: str) -> None:
        self._text, self.origin = text.strip(), origin

    def reveal(self) -> str:
        return self._text

    def hide(self, text: str) -> str:
        """`text` without the token, should somebody have sent it back."""
        return text.replace(self._text, "[token]")

    def __repr__(self) -> str:
        return f"<the token of {self.origin}>"


def find_token(platform: Platform, host: str, environ: Mapping[str, str]) -> Token:
    """Raises CallerError, naming what to set, when there is none."""
    for name in _VARIABLES[platform]:
        if environ.get(name, "").strip():
            return Token(environ[name], name)
    if platform is Platform.GITHUB and (found := _from_gh(host)) is not None:
        return found
    ways = {
        Platform.GITHUB: "set GITHUB_TOKEN or GH_TOKEN (in a workflow: `GITHUB_TOKEN: ${{ github.token }}` under `env:`), "
        "or run gh auth login",
        Platform.GITLAB: "set GITLAB_TOKEN to a project or personal access token",
    }
    raise CallerError(f"there is no token for {platform.shown} at {host}", hint=ways[platform])


def _from_gh(host: str) -> Token | None:
    """The one that GitHub's own program is logged in with at this very host."""
    if shutil.which("gh") is None:
        return None
    ended = run(["gh", "auth", "token", "--hostname", host], Path.cwd(), {}, _GH_TIMEOUT, apart=True, keep=4096)
    text = ended.output.decode("utf-8", "replace").strip()
    return Token(text, "gh auth token") if ended.exit_code == 0 and text and "\n" not in text else None
