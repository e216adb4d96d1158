"""Which ledger an address names, and stores that other projects supply."""

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType

import pytest

from promoter.adapters.ledgers import open as opening
from promoter.adapters.ledgers.open import GROUP, open_ledger
from promoter.model.errors import CallerError
from tests.conftest import Cli
from tests.fakes.ledger import MemoryLedger


def test_the_default_is_a_file_next_to_the_pipeline(tmp_path: Path) -> None:
    assert open_ledger(None, tmp_path, "shop").location == f"sqlite:{tmp_path}/.promoter/ledger.db"
    assert open_ledger("sqlite:facts.db", tmp_path, "shop").location == f"sqlite:{tmp_path}/facts.db"


def test_a_home_from_outside_is_found_by_its_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModuleType("their_homes")
    opened: list[tuple[object, ...]] = []

    def open_it(*arguments: object) -> MemoryLedger:
        opened.append(arguments)
        return MemoryLedger()

    monkeypatch.setattr(made, "open_it", open_it, raising=False)
    points = EntryPoints([EntryPoint("cabinet", "their_homes:open_it", GROUP)])
    monkeypatch.setitem(sys.modules, "their_homes", made)
    monkeypatch.setattr(opening, "entry_points", points.select)
    assert open_ledger("cabinet:third-drawer", tmp_path, "shop").location == "memory"
    assert opened == [("cabinet:third-drawer", tmp_path, "shop")]
    with pytest.raises(CallerError, match="is not supported"):
        open_ledger("drawer:third", tmp_path, "shop")


THEIRS = """
from promoter.adapters.ledgers.sqlite.store import SqliteLedger

def open_it(url, directory, pipeline):
    return SqliteLedger(directory / f"{url.partition(':')[2]}-{pipeline}.db")
"""


@pytest.fixture
def theirs(cli: Cli) -> Cli:
    """Another project's package is installed, as pip does it."""
    site = cli.cwd / "site"
    about = site / "their_homes-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "their_homes.py").write_text(THEIRS)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: their-homes\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\ncabinet = their_homes:open_it\nlost = their_homes:gone\n")
    (cli.cwd / "pipeline.yaml").write_text("name: shop\nservices: {web: {image: busybox}}\nenvironments: {dev: {}}\n")
    cli.env["PYTHONPATH"] = str(site)
    return cli


def test_an_installed_home_serves_the_real_command(theirs: Cli) -> None:
    common = ("--ledger", "cabinet:third", "--json")
    pinned = theirs("pin", "dev", "--reason", "watched", *common)
    assert pinned.exit_code == 0, pinned.text
    assert (theirs.cwd / "third-shop.db").exists()
    assert theirs("status", *common).json["environments"][0]["pinned"] is True
    assert theirs("ledger", "copy", "cabinet:third", "sqlite:here.db").exit_code == 0
    assert theirs("ledger", "verify", *common).json["facts"] == 1


def test_a_ledger_plugin_that_cannot_be_loaded_is_reported_without_a_traceback(theirs: Cli) -> None:
    ran = theirs("status", "--ledger", "lost:third")
    assert ran.exit_code == 2, ran.text
    assert "cannot be loaded (their_homes:gone)" in ran.stderr
    assert "Traceback" not in ran.text
