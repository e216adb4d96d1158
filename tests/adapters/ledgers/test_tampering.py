"""Every way to tamper with a ledger in PostgreSQL and in Git, and how the real commands report it: which fact, and what."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from promoter.adapters.ledgers.git.tree import path_of
from promoter.adapters.ledgers.open import open_ledger
from promoter.ledger.chain import LedgerHead
from promoter.ui.cli.app import run
from tests.adapters.ledgers.git_world import BRANCH, World
from tests.adapters.ledgers.postgres_server import serving
from tests.harness import Harness
from tests.tampering import WAYS, Rows, digest

FILE = "name: shop\nservices: {web: {image: busybox}}\nenvironments: {dev: {}, test: {}, prod: {}}\n"
NO_DIGESTS = ("a line edited", "the last line edited", "a digest edited")
"""In Git, a line's digest is stored only in the next line: there is no separate digest to change."""


@dataclass
class Home:
    """A ledger of 25 facts that was read from `directory`: its witness has the last one. `put` writes rows as its owner can."""

    directory: Path
    url: str
    put: Callable[[Rows], None]
    rows: Rows

    def kept(self) -> Path:
        return self.directory.with_name("kept")


def filled(directory: Path, url: str, put: Callable[[Rows], None]) -> Home:
    directory.mkdir(exist_ok=True)
    (directory / "pipeline.yaml").write_text(FILE)
    shop = Harness()
    shop.run()
    shop.newer("two")
    shop.run()
    ledger = open_ledger(url, directory, "shop")
    ledger.restore(list(shop.store.read())[:24], LedgerHead())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("PROMOTER_LEDGER", url)
        assert run(["ledger", "verify"]) == 0
        assert run(["pin", "prod", "--reason", "watched", "--actor", "ann@example.com"]) == 0
    rows = [(number, digest(line), line) for number, line in enumerate(ledger.lines(), 1)]
    ledger.close()
    home = Home(directory, url, put, rows)
    shutil.copytree(directory / ".promoter", home.kept())
    return home


@pytest.fixture(scope="module")
def postgres(postgres_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with serving(postgres_programs) as server:
        url = server.url("postgres")

        def put(rows: Rows) -> None:
            with psycopg.connect(url) as connection:
                connection.execute("TRUNCATE promoter.facts")
                into = "INSERT INTO promoter.facts (pipeline, seq, digest, line) VALUES ('shop', %s, %s, %s)"
                connection.cursor().executemany(into, rows)

        yield filled(tmp_path_factory.mktemp("postgres") / "place", url, put)


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Home:
    world = World(tmp_path_factory.mktemp("git"))

    def put(rows: Rows) -> None:
        """Replace the branch by one new commit with these files and no history."""
        stream = f"commit refs/heads/{BRANCH}\ncommitter Eve <eve@example.com> 0 +0000\ndata 0\ndeleteall\n".encode()
        for number, _, line in rows:
            stream += f"M 100644 inline shop/{'/'.join(path_of(number))}\ndata {len(line) + 1}\n".encode() + line + b"\n\n"
        if not rows:
            stream += b"M 100644 inline README\ndata 0\n\n"
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"], cwd=world.origin, input=stream, env=world.environment, check=True
        )

    return filled(world.clone, f"git:{BRANCH}", put)


@pytest.fixture(params=["postgres", "git"])
def home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    found: Home = request.getfixturevalue(request.param)
    shutil.rmtree(found.directory / ".promoter")
    shutil.copytree(found.kept(), found.directory / ".promoter")
    monkeypatch.chdir(found.directory)
    monkeypatch.setenv("PROMOTER_LEDGER", found.url)
    yield found
    found.put(found.rows)


@pytest.mark.parametrize("way", WAYS)
def test_each_is_found_named_and_stops_what_would_build_on_it(home: Home, capsys: pytest.CaptureFixture[str], way: str) -> None:
    if home.url.startswith("git:") and way in NO_DIGESTS:
        pytest.skip("a line's digest is kept nowhere but in the next line")
    change, words = WAYS[way]
    home.put(change(home.rows))
    for command in (["ledger", "verify"], ["pin", "dev", "--reason", "x", "--actor", "ben@example.com"]):
        capsys.readouterr()
        assert run(command) == 1
        output = "".join(capsys.readouterr())
        assert re.search(words, output), output
        assert "Traceback" not in output
    with_it = open_ledger(home.url, home.directory, "shop")
    assert list(with_it.lines()) == [line for _, _, line in sorted(change(home.rows))]
    with_it.close()
