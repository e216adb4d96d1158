"""The command as a process: what it imports, what a closed pipe does, what it asks on a terminal."""

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from promoter.ui.cli.app import GROUPS, VERBS

pytestmark = pytest.mark.process

COMMAND = [sys.executable, "-c", "from promoter.ui.cli.app import main; main()"]


def imported(*argv: str) -> set[str]:
    code = f"import sys; from promoter.ui.cli.app import run; run({list(argv)!r}); print(*sys.modules, file=sys.stderr)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stderr.split())


def test_help_and_version_import_no_more_than_they_need() -> None:
    heavy = {"pydantic", "docker", "requests", "jinja2", "rich", "yaml", "tenacity", "sqlite3", "promoter.usecases.context"}
    for argv in (("--help",), ("--version",)):
        assert imported(*argv) & heavy == set()


def test_the_help_of_one_verb_imports_no_other() -> None:
    modules = imported("status", "--help")
    assert "promoter.ui.cli.status" in modules
    assert modules & {"promoter.ui.cli.history", "promoter.usecases.context", "docker", "rich"} == set()


THREE = """
name: shop
registry: registry.example.com
services: {web: {build: {context: .}, ports: ["127.0.0.1:{{ port }}:8080"]}}
environments:
  dev: {vars: {port: 18081}, verify: [{http: {url: "http://127.0.0.1:{{ port }}/"}}]}
  test: {vars: {port: 18082}}
  prod: {vars: {port: 18083}, gates: [{approval: {from: [ana@example.com]}}]}
"""


def test_validate_imports_neither_engine_nor_ledger_nor_what_promotes(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(THREE)
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    modules = imported("validate", str(file))
    assert "promoter.pipeline.loader" in modules
    assert (
        modules & {"docker", "requests", "urllib3", "sqlite3", "jinja2", "rich", "rfc8785", "pydantic_settings", "ssl"} == set()
    )
    parts = (
        "promoter.bootstrap",
        "promoter.adapters.engine.",
        "promoter.adapters.ledgers.",
        "promoter.ledger.store",
        "promoter.ledger.state",
        "promoter.promotion.",
        "promoter.usecases.",
    )
    assert sorted(name for name in modules if name.startswith(parts)) == []


def test_without_a_command_and_a_file_it_shows_how_to_begin(tmp_path: Path) -> None:
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("there is no pipeline file pipeline.yaml here\nnext: promoter init ")


def test_the_help_has_each_command_in_one_group() -> None:
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(VERBS)
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=False)
    assert [line[:-1] for line in done.stdout.splitlines() if line in {f"{title}:" for title in GROUPS}] == list(GROUPS)


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*COMMAND, "schema"], stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_is_offered() -> None:
    environ = {**os.environ, "_PROMOTER_COMPLETE": "complete_bash", "COMP_WORDS": "promoter sta", "COMP_CWORD": "1"}
    done = subprocess.run(COMMAND, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["status"]


ASK = """
import sys
from promoter import api
from tests.fakes.promoter import FakePromoter
from promoter.ui.cli.app import run
api.open_pipeline = FakePromoter().open
sys.exit(run(["approve", "prod"]))
"""


@pytest.mark.parametrize(
    ("key", "code", "message"),
    [(b"y\n", 0, "approved by ana@example.com"), (b"n\n", 1, "nothing was recorded"), (b"\x04", 1, "nothing was")],
)
def test_on_a_terminal_a_person_is_asked(key: bytes, code: int, message: str) -> None:
    main, side = pty.openpty()
    root = Path(__file__).resolve().parents[3]
    process = subprocess.Popen([sys.executable, "-c", ASK], stdin=side, stdout=side, stderr=side, cwd=root, close_fds=True)
    os.close(side)
    text = _read(main, b"[d]etails")
    assert b"shop: deploy release" in text
    os.write(main, key)
    text += _read(main, None)
    assert process.wait(10) == code
    assert message in text.decode()
    os.close(main)


def _read(terminal: int, until: bytes | None) -> bytes:
    text = b""
    while until is None or until not in text:
        ready, _, _ = select.select([terminal], [], [], 20)
        assert ready, text
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        text += piece
    return text
