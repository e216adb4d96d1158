"""The disk of the ledger is full during a promotion: a real disk, as small as possible."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from promoter.ledger.chain import Fact, check_chain
from tests.live.app import App, statuses

PIPELINE = """\
name: {name}
services:
  web:
    image: {image}
    command: ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"]
    healthcheck: {{disable: true}}
    steady: 100ms
environments:
  dev:
    verify:
      - command: {{run: ["sh", "-c", "test ! -e full || dd if=/dev/zero of=disk/filler bs=4k 2>/dev/null || true"]}}
"""


@pytest.fixture
def disk(app: App) -> Iterator[Path]:
    disk = app.cli.cwd / "disk"
    disk.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(disk).encode(), b"tmpfs", 0, b"size=512k") != 0:
        pytest.skip("mounting a small disk needs root")
    yield disk
    assert libc.umount(str(disk).encode()) == 0


def test_a_full_disk_keeps_the_service_running_and_the_next_run_finishes(app: App, disk: Path) -> None:
    images = []
    for word in ("one", "two"):
        app.page(f"{word} of {app.name}")
        image = app.cli("build", "--json").json["release"]["images"]["web"]
        images.append(f"{image['repository']}@{image['digest']}")
    file, common = app.cli.cwd / "full.yaml", ("-f", "full.yaml", "--ledger", "sqlite:disk/facts.db", "--json")
    file.write_text(PIPELINE.format(name=app.name, image=images[0]))
    assert app.cli("run", *common).exit_code == 0
    before = app.container("dev").id
    file.write_text(PIPELINE.format(name=app.name, image=images[1]))
    (app.cli.cwd / "full").touch()
    ran = app.cli("run", *common)
    assert ran.exit_code == 1, ran.text
    assert "Traceback" not in ran.text
    assert "cannot grow" in ran.text and "free some space" in ran.text, ran.text
    assert (app.container("dev").id, app.all()) == (before, {"dev-web": "running"}), ran.text
    assert app.cli("ledger", "verify", *common).exit_code == 0
    (app.cli.cwd / "full").unlink()
    (disk / "filler").unlink()
    again = app.cli("run", *common)
    assert (again.exit_code, statuses(again)) == (0, {"dev": "deployed"}), again.text
    assert app.all() == {"dev-web": "running", "dev-web-previous": "exited"}
    lines = app.cli("ledger", "export", *common[:-1]).stdout.encode().splitlines()
    assert all(isinstance(found, Fact) for found in check_chain(lines))
