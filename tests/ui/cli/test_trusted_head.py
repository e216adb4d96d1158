"""A vote that was deleted from the ledger, as a user sees it: with the real commands and a real SQLite file."""

import shutil
from pathlib import Path

from promoter.ui.cli.app import run

FILE = "name: shop\nservices: {web: {image: busybox}}\nenvironments: {dev: {}, prod: {}}\n"


def test_an_old_copy_put_back_is_noticed_by_every_command(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("pipeline.yaml").write_text(FILE)
    assert run(["pin", "prod", "--reason", "one", "--actor", "ann@example.com"]) == 0
    shutil.copytree(".promoter", "copy")
    assert run(["pin", "prod", "--reason", "two", "--actor", "ann@example.com"]) == 0
    assert run(["ledger", "verify"]) == 0
    capsys.readouterr()
    for file in Path(".promoter").glob("ledger.db*"):
        file.unlink()
    for file in Path("copy").glob("ledger.db*"):
        shutil.copy(file, ".promoter")
    assert run(["status"]) == 1
    assert "but this machine has seen" in capsys.readouterr().err
    assert run(["ledger", "verify"]) == 1
    assert "but this machine has seen" in "".join(capsys.readouterr())


def test_break_12_an_old_copy_is_known_under_every_spelling(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("pipeline.yaml").write_text(FILE)
    assert run(["pin", "prod", "--reason", "one", "--actor", "ann@example.com"]) == 0
    shutil.copytree(".promoter", "copy")
    assert run(["pin", "prod", "--reason", "two", "--actor", "ann@example.com"]) == 0
    Path("link").symlink_to(".promoter")
    for file in Path(".promoter").glob("ledger.db*"):
        file.unlink()
    for file in Path("copy").glob("ledger.db*"):
        shutil.copy(file, ".promoter")
    for spelling in ("sqlite:.promoter/../.promoter/ledger.db", "sqlite:link/ledger.db", "sqlite:copy/ledger.db"):
        capsys.readouterr()
        assert run(["unpin", "prod", "--reason", "x", "--actor", "eve@example.com", "--ledger", spelling]) == 1
        assert "this machine has seen 2 facts" in capsys.readouterr().err
        assert run(["ledger", "verify", "--ledger", spelling]) == 1
        assert run(["status", "--ledger", spelling]) == 1
    assert run(["pin", "prod", "--reason", "new", "--actor", "ann@example.com", "--ledger", "sqlite:other.db"]) == 0
