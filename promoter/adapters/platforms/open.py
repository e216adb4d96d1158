"""Find the platform, repository, API and token: from the variables of CI, or else from the remote `origin`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from promoter.adapters.git.command import Git
from promoter.adapters.platforms.github import GitHub
from promoter.adapters.platforms.gitlab import GitLab
from promoter.adapters.platforms.remote_url import Remote, read_remote
from promoter.adapters.platforms.token import find_token
from promoter.adapters.retry import Retry
from promoter.model.errors import CallerError
from promoter.model.pattern import pattern
from promoter.usecases.ports.platform import Platform

_GIT_TIMEOUT = 10.0
_REPOSITORY = pattern(r"[\w.-]+/[\w.-]+")
Forges = GitHub | GitLab


def open_forge(
    platform: Platform | None,
    directory: Path,
    environ: Mapping[str, str],
    sleep: Callable[[float], None],
) -> Forges:
    """Open the platform of this job, or of the checkout in `directory`. Raise CallerError with what is missing."""
    remote = None if _named_by_ci(environ, platform) else _origin(directory)
    platform = platform or _platform(environ, remote)
    if remote is not None and remote.is_gitlab and platform is Platform.GITHUB:
        raise CallerError(f"origin is at {remote.host}, which is GitLab", hint="write pipeline:REF, such as pipeline:main")
    retry = Retry(sleep)
    if platform is Platform.GITLAB:
        base, project = _gitlab(environ, remote)
        token = find_token(platform, _host(base), environ)
        return GitLab(base, project, token, environ.get("CI_JOB_ID") or None, retry)
    base, repository = _github(environ, remote)
    if not _REPOSITORY.fullmatch(repository):
        raise CallerError(
            f"{repository!r} is not a GitHub repository", hint="expected OWNER/NAME, from GITHUB_REPOSITORY or origin"
        )
    token = find_token(platform, _host(base), environ)
    return GitHub(base, repository, token, environ.get("GITHUB_RUN_ID") or None, retry)


def _named_by_ci(environ: Mapping[str, str], platform: Platform | None) -> bool:
    """Return whether CI's variables name the repository."""
    github, gitlab = bool(environ.get("GITHUB_REPOSITORY")), bool(environ.get("CI_PROJECT_ID"))
    return {Platform.GITHUB: github, Platform.GITLAB: gitlab, None: github or gitlab}[platform]


def _platform(environ: Mapping[str, str], remote: Remote | None) -> Platform:
    if remote is not None:
        return Platform.GITLAB if remote.is_gitlab else Platform.GITHUB
    return Platform.GITHUB if environ.get("GITHUB_REPOSITORY") else Platform.GITLAB


def _github(environ: Mapping[str, str], remote: Remote | None) -> tuple[str, str]:
    """Return the address of the API, and the repository."""
    if remote is not None:
        own = "https://api.github.com" if remote.host == "github.com" else f"https://{remote.host}/api/v3"
        return environ.get("GITHUB_API_URL") or own, remote.path
    return environ.get("GITHUB_API_URL") or "https://api.github.com", environ["GITHUB_REPOSITORY"]


def _gitlab(environ: Mapping[str, str], remote: Remote | None) -> tuple[str, str]:
    if remote is not None:
        return environ.get("CI_API_V4_URL") or f"https://{remote.host}/api/v4", remote.path
    return environ.get("CI_API_V4_URL") or "https://gitlab.com/api/v4", environ["CI_PROJECT_ID"]


def _origin(directory: Path) -> Remote:
    answer = Git().run(directory, ["remote", "get-url", "origin"], timeout=_GIT_TIMEOUT)
    if answer.line is None:
        raise CallerError(
            "the repository is unknown: there is no remote `origin` here",
            hint="git remote add origin URL; in CI, set GITHUB_REPOSITORY or CI_PROJECT_ID",
        )
    remote = read_remote(answer.line)
    if remote is None:
        raise CallerError(
            "the repository is unknown: the remote `origin` is not on a host that runs jobs",
            hint="git remote set-url origin URL, such as git@github.com:OWNER/NAME.git",
        )
    return remote


def _host(base: str) -> str:
    host = urlsplit(base).hostname or base
    return "github.com" if host == "api.github.com" else host
