"""What real shells offer after TAB, with their own completion and the script that promoter prints for them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.chain import FactDraft, Kind, LedgerHead, read_line
from tests.fakes.clock import FakeClock
from tests.repository import repository
from tests.terminal import Terminal
from tests.ui.cli.shop import RELEASES, seed

pytestmark = pytest.mark.slow
PROMOTER = Path(sys.executable).with_name("promoter")
FILE = "name: shop\nservices: {web: {image: nginx}}\nenvironments: {dev: {}, test: {}, prod: {}}\n"
Tab = Callable[..., list[str]]
BASH = """\
eval "$SCRIPT"
_promoter_completion promoter
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A directory with a pipeline file, and a ledger that has six releases."""
    (tmp_path / "pipeline.yaml").write_text(FILE)
    seed(SqliteLedger(tmp_path / ".promoter/ledger.db"))
    return tmp_path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment with the command on PATH, no settings of promoter, and an engine and a proxy that do not answer."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PROMOTER_", "DOCKER_"))}
    path = f"{PROMOTER.parent}{os.pathsep}{env['PATH']}"
    return env | {"PATH": path, "HOME": str(tmp_path), "DOCKER_HOST": "unix:///nowhere", "HTTPS_PROXY": "http://127.0.0.1:1"}


def script(shell: str, environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        [PROMOTER], env={**environ, "_PROMOTER_COMPLETE": f"source_{shell}"}, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def tab(tmp_path: Path, environ: dict[str, str]) -> Tab:
    """Return the words that bash offers at the end of a line. Output on standard error fails the test."""
    bash = shutil.which("bash")
    assert bash, "the tests of completion need bash"
    text = script("bash", environ)

    def press(*words: str, cwd: Path = tmp_path, env: Mapping[str, str] | None = None) -> list[str]:
        line = " ".join(f"'{word}'" for word in ("promoter", *words))
        setting = f"COMP_WORDS=({line}); COMP_CWORD={len(words)}\n"
        done = subprocess.run(
            [bash, "--norc", "--noprofile", "-c", setting + BASH],
            cwd=cwd,
            env={**environ, **(env or {}), "SCRIPT": text},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.split()

    return press


def test_the_script_is_what_show_completion_shows(environ: dict[str, str]) -> None:
    done = subprocess.run(
        ["bash", "-c", "promoter --show-completion; true"], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == script("bash", environ).strip()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("appr",), ["approve"]),
        (("approve", ""), ["dev", "test", "prod"]),
        (("approve", "p"), ["prod"]),
        (("diff", "test", ""), ["dev", "prod"]),
        (("run", "--to", ""), ["dev", "test", "prod"]),
        (("promote", "--to", "=", "te"), ["test"]),
        (("promote", "--to", "="), ["dev", "test", "prod"]),
        (("promote", RELEASES[-1][:12], "--to", ""), ["dev", "test", "prod"]),
        (("history", ""), ["dev", "test", "prod"]),
        (("ledger", ""), ["verify", "export", "copy"]),
        (("run", "--wai"), ["--wait", "--wait-lock"]),
        (("run", ""), ["pipeline.yaml"]),
        (("-f", ""), ["pipeline.yaml"]),
        (("init", "--from", "pipe"), []),
        (("status", ""), ["dev", "test", "prod"]),
    ],
    ids=" ".join,
)
def test_what_bash_offers(shop: Path, tab: Tab, words: tuple[str, ...], offered: list[str]) -> None:
    assert tab(*words) == offered


def test_releases_come_newest_first_and_a_rollback_offers_only_what_was_verified_there(shop: Path, tab: Tab) -> None:
    newest = [release[:12] for release in reversed(RELEASES)]
    assert tab("show", "") == tab("promote", "") == tab("approve", "prod", "") == newest
    assert tab("logs", newest[2][:4]) == [newest[2]]
    assert tab("logs", RELEASES[3][:20]) == [RELEASES[3][:20]]
    back = tab("rollback", "dev", "--to", "")
    assert 0 < len(back) < len(newest)
    assert set(back) < set(newest)
    assert tab("rollback", "nowhere", "--to", "") == []


def test_the_file_is_the_one_that_the_line_or_the_environment_names(shop: Path, tab: Tab) -> None:
    (shop / "deploy").mkdir()
    (shop / "deploy/other.yaml").write_text(FILE.replace("dev: {}, ", "lab: {}, "))
    (shop / "deploy/values.yaml").write_text("replicas: 1\n")
    assert tab("run", "de") == ["deploy/other.yaml"]
    assert tab("-f", "deploy/other.yaml", "approve", "") == ["lab", "test", "prod"]
    assert tab("approve", "-f", "deploy/other.yaml", "") == ["lab", "test", "prod"]
    assert tab("run", "deploy/other.yaml", "--to", "l") == ["lab"]
    assert tab("approve", "", env={"PROMOTER_FILE": "deploy/other.yaml"}) == ["lab", "test", "prod"]


def test_the_ledger_is_the_one_that_line_variable_or_settings_name(shop: Path, tab: Tab) -> None:
    (shop / ".promoter/ledger.db").rename(shop / "elsewhere.db")
    assert tab("show", "") == []
    assert len(tab("--ledger", "sqlite:elsewhere.db", "show", "")) == 6
    assert len(tab("show", "", env={"PROMOTER_LEDGER": "sqlite:elsewhere.db"})) == 6
    (shop / ".promoter/settings.toml").write_text('ledger = "sqlite:elsewhere.db"\n')
    assert len(tab("show", "")) == 6


def test_completion_reads_a_git_ledger_as_it_was_last_fetched(tmp_path: Path, tab: Tab) -> None:
    from promoter.adapters.ledgers.git.store import GitLedger

    shop = repository(tmp_path)
    shop.write("pipeline.yaml", FILE + "ledger: git:facts\n")
    shop.commit()
    assert tab("show", "", cwd=shop.directory) == []
    seed(GitLedger("git:facts", shop.directory, "shop"))
    assert len(list(GitLedger("git:facts", shop.directory, "shop").read())) > 6
    (tmp_path / "remote.git").rename(tmp_path / "gone.git")
    assert tab("show", "", cwd=shop.directory) == [release[:12] for release in reversed(RELEASES)]


def test_broken_and_missing_files_give_no_completions_and_no_output(tmp_path: Path, tab: Tab) -> None:
    assert tab("approve", "") == tab("show", "") == []
    (tmp_path / "pipeline.yaml").write_text("environments: [1\n")
    assert tab("approve", "") == []
    (tmp_path / "pipeline.yaml").write_text("environments: 3\nname: shop\n")
    assert tab("approve", "") == []
    (tmp_path / ".promoter").mkdir()
    (tmp_path / ".promoter/ledger.db").write_text("no database" * 99)
    assert tab("show", "") == []
    (tmp_path / "pipeline.yaml").write_text(FILE + "ledger: postgresql://127.0.0.1:1/x\n")
    assert tab("show", "") == []
    assert tab("show", "", env={"PROMOTER_LEASE_TTL": "nonsense"}) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"_PROMOTER_COMPLETE": "complete_tcsh"},
        {"_PROMOTER_COMPLETE": "nonsense"},
        {"_PROMOTER_COMPLETE": "complete_bash", "COMP_WORDS": "promoter", "COMP_CWORD": "x"},
    ],
    ids=lambda asked: " ".join(asked.values()),
)
def test_a_shell_with_an_odd_request_gets_no_answer(environ: dict[str, str], asked: dict[str, str]) -> None:
    done = subprocess.run([PROMOTER], env=environ | asked, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("", "")


def test_nothing_is_written(shop: Path, tab: Tab) -> None:
    before = {path: path.stat().st_mtime_ns for path in shop.rglob("*")}
    assert tab("show", "")
    assert tab("approve", "")
    assert {path: path.stat().st_mtime_ns for path in shop.rglob("*")} == before


def test_completion_reads_a_ledger_during_a_write(shop: Path, tab: Tab) -> None:
    """Its last facts are still in the log file, and the writer has an open transaction."""
    ledger = SqliteLedger(shop / ".promoter/ledger.db")
    lines = list(ledger.lines())
    head = LedgerHead(len(lines), read_line(lines[-1]).digest)
    ledger.append(
        FactDraft(Kind.RELEASED, "ana@example.com", None, "e" * 64, {"pipeline": "shop", "content": {}}), head, FakeClock().now()
    )
    with ledger._writing():
        assert tab("show", "")[0] == "e" * 12


def test_names_that_a_shell_would_execute_are_not_offered(
    shop: Path, tab: Tab, zsh_program: str, environ: dict[str, str]
) -> None:
    evil = "x$(touch seen)"
    (shop / "pipeline.yaml").write_text(
        f"name: shop\nenvironments: {{{json.dumps(evil)}: {{}}, '`touch seen`': {{}}, '*': {{}}, ok: {{}}}}\n"
    )
    assert tab("approve", "") == ["ok"]
    ledger = SqliteLedger(shop / "evil.db")
    source = {"branch": "a'\"$(touch seen)`touch seen`)';touch seen", "sha": "c" * 40}
    fact = {"pipeline": "shop", "content": {"images": {}, "source": source}}
    ledger.append(FactDraft(Kind.RELEASED, "ana@example.com", None, "d" * 64, fact), LedgerHead(), FakeClock().now())
    with zsh(zsh_program, shop, environ) as terminal:
        terminal.send("promoter --ledger sqlite:evil.db show \t")
        terminal.expect("d" * 12)
    assert not (shop / "seen").exists()


# ------------------------------------------------------------ zsh, fish
def zsh(program: str, cwd: Path, environ: Mapping[str, str]) -> Terminal:
    """Start an interactive zsh without configuration of the machine or the user, and evaluate the script as people do."""
    (cwd / ".script.zsh").write_text(script("zsh", environ))
    terminal = Terminal([program, "-f", "-i"], cwd, {**environ, "ZDOTDIR": str(cwd)})
    terminal.send("PS1='ready-now> '; unsetopt beep; autoload -Uz compinit; compinit -u -D; source .script.zsh; clear\n")
    terminal.expect("clear")
    terminal.expect("ready-now> ")
    return terminal


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("promoter approve p", "promoter approve prod "),
        ("promoter run --to d", "promoter run --to dev "),
        ("promoter ledger v", "promoter ledger verify "),
        (f"promoter show {RELEASES[2][:5]}", f"promoter show {RELEASES[2][:12]} "),
    ],
)
def test_zsh_completes(zsh_program: str, shop: Path, environ: dict[str, str], line: str, shown: str) -> None:
    with zsh(zsh_program, shop, environ) as terminal:
        terminal.send(f"{line}\t")
        terminal.expect(shown)


def test_zsh_shows_where_a_release_comes_from(zsh_program: str, shop: Path, environ: dict[str, str]) -> None:
    with zsh(zsh_program, shop, environ) as terminal:
        terminal.send("promoter show \t")
        terminal.expect(f"{RELEASES[0][:12]}  -- main ccccccc 2026-11-23")


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (
            "promoter approve ",
            ["dev\tenvironment of pipeline.yaml", "test\tenvironment of pipeline.yaml", "prod\tenvironment of pipeline.yaml"],
        ),
        (f"promoter show {RELEASES[0][:6]}", [f"{RELEASES[0][:12]}\tmain ccccccc 2026-11-23T18:00"]),
        ("promoter ledger e", ["export\tWrite the ledger's exact lines, one for..."]),
    ],
)
def test_fish_completes(fish_program: str, shop: Path, environ: dict[str, str], line: str, offered: list[str]) -> None:
    (shop / "promoter.fish").write_text(script("fish", environ))
    done = subprocess.run(
        [fish_program, "--no-config", "-c", "source promoter.fish; complete -C $argv[1]", line],
        cwd=shop,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (sorted(done.stdout.splitlines()), done.stderr) == (sorted(offered), "")
