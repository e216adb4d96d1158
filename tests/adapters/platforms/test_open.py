"""Which repository, API and token: from CI's variables, otherwise from the remote of the checkout, in every spelling."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from promoter.adapters.platforms.open import open_forge
from promoter.adapters.platforms.remote_url import Remote, read_remote
from promoter.model.errors import CallerError
from promoter.usecases.ports.platform import Platform

GITHUB = {"GITHUB_REPOSITORY": "acme/shop", "GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://ghe.example.com/api/v3"}
GITLAB = {"CI_PROJECT_ID": "17", "CI_API_V4_URL": "https://git.example.com/api/v4", "GITLAB_TOKEN": "t"}


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("git@github.com:acme/shop.git", "github.com", "acme/shop"),
        ("github.com:acme/shop", "github.com", "acme/shop"),
        ("ssh://git@github.com/acme/shop.git", "github.com", "acme/shop"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "github.com", "acme/shop"),
        ("ssh://git@ghe.example.com:2222/acme/shop", "ghe.example.com", "acme/shop"),
        ("https://github.com/acme/shop.git", "github.com", "acme/shop"),
        ("https://user:pass@GitHub.com/acme/shop/", "github.com", "acme/shop"),
        ("https://ghe.example.com:8443/acme/shop.git", "ghe.example.com:8443", "acme/shop"),
        ("git://example.com/acme/shop.git", "example.com", "acme/shop"),
        ("git@gitlab.com:acme/team/shop.git", "gitlab.com", "acme/team/shop"),
    ],
)
def test_a_remote_is_read_in_every_spelling(url: str, host: str, path: str) -> None:
    assert read_remote(url) == Remote(host, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/git/shop.git",
        "../shop",
        "file:///srv/shop.git",
        "https://github.com/",
        "git@github.com:shop",
        "https://[x/a/b",
        "https://github.com/acme/../x",
        "ext::sh -c x",
    ],
)
def test_what_is_no_repository_on_a_host_is_none(url: str) -> None:
    assert read_remote(url) is None


@pytest.mark.parametrize(
    ("host", "is_gitlab"),
    [("gitlab.com", True), ("gitlab.example.com", True), ("git.example.com", False), ("github.com", False), ("my-gitlab", True)],
)
def test_gitlab_is_known_by_its_name(host: str, is_gitlab: bool) -> None:
    assert Remote(host, "a/b").is_gitlab is is_gitlab


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def origin(checkout: Path, url: str) -> None:
    subprocess.run(["git", "remote", "add", "origin", url], cwd=checkout, check=True)


def opened(platform: Platform | None, checkout: Path, environ: Mapping[str, str]) -> tuple[Platform, str, str]:
    forge = open_forge(platform, checkout, environ, lambda _: None)
    return forge.platform, forge._api._base, forge.repository


@pytest.mark.parametrize(
    ("url", "base", "repository"),
    [
        ("git@github.com:acme/shop.git", "https://api.github.com", "acme/shop"),
        ("https://ghe.example.com/acme/shop", "https://ghe.example.com/api/v3", "acme/shop"),
    ],
)
def test_github_by_its_remote(checkout: Path, url: str, base: str, repository: str) -> None:
    origin(checkout, url)
    for platform in (None, Platform.GITHUB):
        environ = {"GH_TOKEN": "t", "GH_HOST": "ghe.example.com"}
        assert opened(platform, checkout, environ) == (Platform.GITHUB, base, repository)


def test_gitlab_by_its_remote(checkout: Path) -> None:
    origin(checkout, "git@gitlab.example.com:acme/team/shop.git")
    for platform in (None, Platform.GITLAB):
        there = (Platform.GITLAB, "https://gitlab.example.com/api/v4", "acme/team/shop")
        assert opened(platform, checkout, {"GITLAB_TOKEN": "t", "GITLAB_HOST": "gitlab.example.com"}) == there
    with pytest.raises(CallerError, match=r"origin is at gitlab\.example\.com, which is GitLab"):
        opened(Platform.GITHUB, checkout, {"GITHUB_TOKEN": "t"})


def test_platform_comes_from_ci_variables_without_a_remote(checkout: Path) -> None:
    assert opened(None, checkout, GITHUB) == (Platform.GITHUB, "https://ghe.example.com/api/v3", "acme/shop")
    assert opened(None, checkout, GITLAB) == (Platform.GITLAB, "https://git.example.com/api/v4", "17")


@pytest.mark.parametrize(
    ("platform", "environ", "url", "message"),
    [
        (None, {"GITHUB_TOKEN": "t"}, None, "no remote `origin`"),
        (None, {"GITHUB_TOKEN": "t"}, "/srv/git/shop.git", "is not on a host that runs jobs"),
        (None, {}, "git@github.com:acme/shop.git", "there is no token for GitHub at github.com"),
        (None, {"GITHUB_TOKEN": "  "}, "git@github.com:acme/shop.git", "there is no token for GitHub at github.com"),
        (None, {}, "git@gitlab.com:acme/shop.git", "there is no token for GitLab at gitlab.com"),
        (Platform.GITHUB, {**GITHUB, "GITHUB_REPOSITORY": "shop"}, None, "'shop' is not a GitHub repository"),
        (Platform.GITHUB, {**GITHUB, "GITHUB_API_URL": "http://ghe.example.com"}, None, "without TLS"),
    ],
)
def test_a_missing_platform_setting_is_reported(
    checkout: Path, platform: Platform | None, environ: Mapping[str, str], url: str | None, message: str
) -> None:
    if url is not None:
        origin(checkout, url)
    with pytest.raises(CallerError, match=message) as caught:
        opened(platform, checkout, environ)
    assert caught.value.hint


def test_a_password_in_the_remote_is_not_shown(checkout: Path) -> None:
    origin(checkout, "https://user:hunter2@example.com/shop")
    with pytest.raises(CallerError) as caught:
        opened(None, checkout, {})
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint}"


def test_the_program_of_github_is_asked_where_it_is(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin(checkout, "git@ghe.example.com:acme/shop.git")
    (checkout / "bin").mkdir()
    program = checkout / "bin" / "gh"
    program.write_text('#!/bin/sh\n[ "$*" = "auth token --hostname ghe.example.com" ] && echo of-gh\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{checkout / 'bin'}:/usr/bin:/bin")
    forge = open_forge(None, checkout, {}, lambda _: None)
    assert forge._api._headers["Authorization"] == "Bearer of-gh"
    assert forge._api._token.origin == "gh auth token"


# ---------------------------------------------------------------- a token is sent only to its own host
@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("https://localhost:8443/acme/shop", {"GITHUB_TOKEN": "t"}),
        ("https://ghe.example.com/acme/shop", {"GH_TOKEN": "t"}),
        ("https://github.com.evil.example/acme/shop", {"GITHUB_TOKEN": "t"}),
        ("https://evilghe.com/acme/shop", {"GITHUB_TOKEN": "t"}),
        ("https://gitlab.example.com/acme/shop", {"GITLAB_TOKEN": "t", "CI_SERVER_HOST": "git.example.com"}),
        ("https://gitlab.com/acme/shop", {"CI_JOB_TOKEN": "t"}),
    ],
)
def test_break_9_a_token_is_not_sent_to_another_host(checkout: Path, url: str, environ: dict[str, str]) -> None:
    origin(checkout, url)
    with pytest.raises(CallerError, match=r"is not sent to .*: it may be a token for") as caught:
        opened(None, checkout, environ)
    assert "_HOST=" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("git@github.com:acme/shop.git", {"GITHUB_TOKEN": "t"}),
        ("https://acme.ghe.com/acme/shop", {"GITHUB_TOKEN": "t"}),
        ("https://ghe.example.com:8443/acme/shop", {"GITHUB_TOKEN": "t", "GH_HOST": "ghe.example.com"}),
        ("https://ghe.example.com/acme/shop", {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://ghe.example.com/api/v3"}),
        ("https://gitlab.com/acme/shop", {"GITLAB_TOKEN": "t"}),
        ("https://gitlab.example.com/acme/shop", {"CI_JOB_TOKEN": "t", "CI_SERVER_HOST": "gitlab.example.com"}),
    ],
)
def test_a_token_is_sent_to_its_own_host(checkout: Path, url: str, environ: dict[str, str]) -> None:
    origin(checkout, url)
    assert opened(None, checkout, environ)
