"""Which ledger a spelling names, and homes that were written outside of the project."""

import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType

import pytest

from promoter.adapters.ledger import open as opening
from promoter.adapters.ledger.open import GROUP, open_ledger
from promoter.model.errors import CallerError
from tests.fakes.ledger import MemoryLedger


def test_the_default_is_a_file_beside_the_pipeline(tmp_path: Path) -> None:
    assert open_ledger(None, tmp_path, "shop").location == f"sqlite:{tmp_path}/.promoter/ledger.db"
    assert open_ledger("sqlite:facts.db", tmp_path, "shop").location == f"sqlite:{tmp_path}/facts.db"


def test_a_home_from_outside_is_found_by_its_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = ModuleType("their_homes")
    made.open_it = lambda *said: (opened.append(said), MemoryLedger())[1]  # type: ignore[attr-defined]
    opened: list[tuple[object, ...]] = []
    points = EntryPoints([EntryPoint("cabinet", "their_homes:open_it", GROUP)])
    monkeypatch.setitem(sys.modules, "their_homes", made)
    monkeypatch.setattr(opening, "entry_points", points.select)
    assert open_ledger("cabinet:third-drawer", tmp_path, "shop").location == "memory"
    assert opened == [("cabinet:third-drawer", tmp_path, "shop")]
    with pytest.raises(CallerError, match="is not one that promoter knows"):
        open_ledger("drawer:third", tmp_path, "shop")
