"""`ledger copy` from every store to every other, with the real command: the same bytes, checked, and appended to."""

import json
from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import pytest

from promoter.adapters.ledgers.open import open_ledger
from promoter.ledger.chain import LedgerHead
from promoter.ui.cli.app import run
from tests.adapters.ledgers.git_world import BRANCH, World
from tests.adapters.ledgers.postgres_server import Server, serving
from tests.harness import Harness

FILE = "name: shop\nservices: {web: {image: busybox}}\nenvironments: {dev: {}, test: {}, prod: {}}\n"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(postgres_programs: Path) -> Iterator[Server]:
    with serving(postgres_programs) as made:
        yield made


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a pipeline, with an author configured in git."""
    world = World(tmp_path)
    for name in ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_NOSYSTEM"):
        monkeypatch.setenv(name, world.environment[name])
    monkeypatch.chdir(world.clone)
    (world.clone / "pipeline.yaml").write_text(FILE)
    return world.clone


@pytest.fixture
def address(request: pytest.FixtureRequest, unique: str) -> Callable[[str], str]:
    """Return a function that makes the address of an empty ledger of that kind."""

    def made(kind: str) -> str:
        if kind == "postgres":
            server: Server = request.getfixturevalue("server")
            server.ask(f"CREATE DATABASE {unique}")
            return server.url(unique)
        return f"git:{BRANCH}" if kind == "git" else "sqlite:facts.db"

    return made


@pytest.mark.parametrize(("source", "target"), list(permutations(("sqlite", "postgres", "git"), 2)))
def test_every_pair(
    directory: Path, address: Callable[[str], str], capsys: pytest.CaptureFixture[str], source: str, target: str
) -> None:
    shop = Harness()
    shop.run()
    first, second = address(source), address(target)
    ledger = open_ledger(first, directory, "shop")
    ledger.restore(list(shop.store.read()), LedgerHead())
    assert run(["ledger", "copy", first, second, "--json"]) == 0
    output = json.loads(capsys.readouterr().out)
    assert output["copied"] == output["facts"] == len(shop.store.kept)
    assert run(["ledger", "verify", "--ledger", second, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["head"] == output["head"]
    copy = open_ledger(second, directory, "shop")
    assert list(copy.lines()) == list(ledger.lines()) == shop.store.kept
    assert run(["pin", "dev", "--reason", "moved", "--ledger", second, "--actor", "ana@example.com"]) == 0
    assert len(list(copy.read())) == output["facts"] + 1
    assert run(["ledger", "copy", first, second]) == 1
    assert "but this machine has seen" in capsys.readouterr().err
    for one in (ledger, copy):
        one.close()
