"""`ledger_token`: only the server of the ledger gets it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from promoter.adapters.git.command import Git
from promoter.adapters.ledgers.git.store import GitLedger
from promoter.adapters.ledgers.git.token import login, site_of
from promoter.adapters.ledgers.open import open_ledger
from promoter.adapters.ledgers.write_check import try_to_write
from promoter.bootstrap import open_context, open_copy
from promoter.ledger.store import LedgerStore
from promoter.ledger.testing import write
from promoter.model.errors import LedgerError
from tests.adapters.ledgers.git_https import Server, new_certificate, serving
from tests.adapters.ledgers.git_world import BRANCH, World

TOKEN = "ghs_0123456789abcdef"
HEADER = f"Basic {base64.b64encode(f'x-access-token:{TOKEN}'.encode()).decode()}"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    with serving(certificate) as server:
        yield server


@pytest.fixture
def other(certificate: Path) -> Iterator[Server]:
    with serving(certificate) as server:
        yield server


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path)
    world.environment["GIT_SSL_NO_VERIFY"] = "1"
    world.environment["no_proxy"] = "127.0.0.1"
    world.git("config", "http.receivepack", "true", at=world.origin)
    return world


def ledger(world: World, url: str = f"git:{BRANCH}", token: str | None = TOKEN) -> GitLedger:
    return GitLedger(url, world.clone, "shop", Git(world.environment), lambda _: None, token)


def all_bytes(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_the_ledgers_server_takes_facts_by_the_token_and_no_file_holds_it(world: World, server: Server) -> None:
    server.root, server.expected = world.directory, HEADER
    world.git("remote", "set-url", "origin", f"{server.address}/origin.git", at=world.clone)
    # what actions/checkout leaves in a repository; a second header with this name would be refused
    world.git("config", f"http.{server.address}/.extraheader", "AUTHORIZATION: basic b2xk", at=world.clone)
    write(ledger(world), 1)
    assert len(list(ledger(world).read())) == 1
    assert world.git("log", "--format=%s", BRANCH, at=world.origin)
    assert set(server.logins) == {HEADER}
    held = all_bytes(world.clone) + all_bytes(world.origin) + all_bytes(world.directory / "home")
    assert not [one for one in (TOKEN, HEADER) if one.encode() in held]


def test_without_the_token_the_same_server_refuses(world: World, server: Server) -> None:
    server.root, server.expected = world.directory, HEADER
    world.git("remote", "set-url", "origin", f"{server.address}/origin.git", at=world.clone)
    with pytest.raises(LedgerError, match="needs credentials"):
        list(ledger(world, token=None).read())


def test_a_server_that_redirects_does_not_pass_the_token_on(world: World, server: Server, other: Server) -> None:
    server.redirect, other.root = other.address, world.directory
    world.git("remote", "set-url", "origin", f"{server.address}/origin.git", at=world.clone)
    with pytest.raises(LedgerError, match="redirects") as caught:
        list(ledger(world).read())
    assert not caught.value.retryable
    assert TOKEN not in str(caught.value)
    assert (set(server.logins), other.logins) == ({HEADER}, [])


def test_another_remote_does_not_get_it(world: World, server: Server, other: Server) -> None:
    """The token is bound to one host: git itself sends it to no other, whatever it fetches."""
    more = login(Git(world.environment), world.clone, f"{server.address}/origin.git", TOKEN)
    Git(world.environment).run(world.clone, ("ls-remote", f"{other.address}/origin.git"), more=more)
    assert other.logins == [None]


def test_no_command_line_holds_the_token(world: World, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    start = Git.start

    def noting(self: Git, directory: Path, command: list[str], **options: Any) -> object:
        started.extend(command)
        return start(self, directory, command, **options)

    monkeypatch.setattr(Git, "start", noting)
    server.root, server.expected = world.directory, HEADER
    world.git("remote", "set-url", "origin", f"{server.address}/origin.git", at=world.clone)
    write(ledger(world), 1)
    assert "push" in started
    assert not [word for word in started if TOKEN in word or HEADER.removeprefix("Basic ") in word]


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://github.com/acme/shop.git", "https://github.com/"),
        ("https://ana:old@GitHub.com/acme/shop", "https://github.com/"),
        ("https://git.example.com:8443/shop", "https://git.example.com:8443/"),
        ("https://[::1]:8443/shop", "https://[::1]:8443/"),
        ("http://github.com/acme/shop.git", None),
        ("git@github.com:acme/shop.git", None),
        ("ssh://git@github.com/acme/shop.git", None),
        ("https://*.example.com/shop", None),
        ("https:///shop", None),
        ("https://host:port/shop", None),
        ("/srv/git/shop.git", None),
        ("", None),
    ],
)
def test_only_https_and_a_plain_host_get_a_token(address: str, site: str | None) -> None:
    assert site_of(address) == site


def test_the_environment_keeps_what_it_has_and_other_remotes_add_nothing(world: World) -> None:
    world.git("remote", "set-url", "origin", "https://git.example.com/shop.git", at=world.clone)
    git = Git(world.environment | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"})
    added = login(git, world.clone, "origin", "gitlab-ci-token:t0ken")
    basic = base64.b64encode(b"gitlab-ci-token:t0ken").decode()
    assert added == {
        "GIT_CONFIG_COUNT": "4",
        "GIT_CONFIG_KEY_1": "http.https://git.example.com/.extraHeader",
        "GIT_CONFIG_VALUE_1": "",
        "GIT_CONFIG_KEY_2": "http.https://git.example.com/.extraHeader",
        "GIT_CONFIG_VALUE_2": f"Authorization: Basic {basic}",
        "GIT_CONFIG_KEY_3": "http.https://git.example.com/.followRedirects",
        "GIT_CONFIG_VALUE_3": "false",
    }
    assert login(git, world.clone, "origin", None) == login(git, world.clone, None, TOKEN) == {}
    assert login(git, world.clone, "git@git.example.com:shop.git", TOKEN) == {}


def test_a_ledger_outside_of_a_repository_and_the_write_check_use_it(
    world: World, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    server.root, server.expected = world.directory, HEADER
    alone = tmp_path / "alone"
    alone.mkdir()
    url = f"git:{BRANCH}@{server.address}/origin.git"
    store = open_ledger(url, alone, "shop", TOKEN)
    assert list(store.read()) == []
    write(store, 1)
    assert len(list(store.read())) == 1
    assert try_to_write(url, alone, "shop", TOKEN) == "an empty push was tried; it does not check rules for the branch"
    with pytest.raises(LedgerError):
        try_to_write(url, alone, "shop")


def test_no_output_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOTER_LEDGER_TOKEN", f"gitlab-ci-token:{TOKEN}")
    (tmp_path / "pipeline.yaml").write_text("name: shop\nservices: {web: {image: nginx}}\nenvironments: {dev: {}}\n")
    with open_context(tmp_path / "pipeline.yaml", ledger=None, actor="ana", listener=lambda _: None) as context:
        for shown in (TOKEN, HEADER, base64.b64encode(f"gitlab-ci-token:{TOKEN}".encode()).decode()):
            redacted = context.ports.secrets.redact(f"git said {shown}")
            assert "[secret ledger_token]" in redacted
            assert TOKEN not in redacted


def test_a_copy_uses_it_only_for_the_configured_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMOTER_LEDGER_TOKEN", TOKEN)
    file = tmp_path / "pipeline.yaml"
    file.write_text("name: shop\nledger: git:facts\nservices: {web: {image: nginx}}\nenvironments: {dev: {}}\n")
    opened: dict[str, str | None] = {}

    def noting(url: str, directory: Path, pipeline: str, token: str | None = None) -> LedgerStore:
        opened[url] = token
        return open_ledger(url, directory, pipeline, token)

    monkeypatch.setattr("promoter.bootstrap.open_ledger", noting)
    with open_copy(file, "git:facts", "git:facts@https://other.example.com/facts.git", "ana"):
        assert opened == {"git:facts": TOKEN, "git:facts@https://other.example.com/facts.git": None}


@pytest.mark.parametrize(
    ("named", "variable", "used"),
    [
        ("git:facts@https://other.example.com/facts.git", None, False),
        ("git:facts@https://other.example.com/facts.git", "git:facts@https://other.example.com/facts.git", True),
        ("git:facts@https://other.example.com/facts.git", "git:facts", True),
        ("git:facts@upstream", None, True),
        ("git:facts", None, True),
        (None, None, True),
    ],
)
def test_a_branch_cannot_send_it_to_another_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str | None, variable: str | None, used: bool
) -> None:
    """The pipeline file comes with the branch, so its address alone does not get the token."""
    monkeypatch.setenv("PROMOTER_LEDGER_TOKEN", TOKEN)
    monkeypatch.setenv("PROMOTER_LEDGER", variable or "")
    ledger = f"ledger: {named}\n" if named else ""
    file = tmp_path / "pipeline.yaml"
    file.write_text(f"name: shop\n{ledger}services: {{web: {{image: nginx}}}}\nenvironments: {{dev: {{}}}}\n")
    tokens: list[str | None] = []

    def noting(url: str | None, directory: Path, pipeline: str, token: str | None = None) -> LedgerStore:
        tokens.append(token)
        return open_ledger(url, directory, pipeline, token)

    monkeypatch.setattr("promoter.bootstrap.open_ledger", noting)
    events: list[object] = []
    with open_context(file, ledger=None, actor="ana", listener=events.append):
        assert tokens == [TOKEN if used else None]
    assert len([event for event in events if "`ledger_token` is not used" in str(event)]) == (not used)
