"""All fenced blocks on the manual's pages: files are valid, workflows and shell pass the linters, commands can be typed."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from promoter.ui.cli.app import load as load_verb
from promoter.ui.cli.load_file import checked
from tests.docs.documents import PARTS, kind, whole
from tests.docs.pages import PAGES, Block, blocks, blocks_of
from tests.docs.session import NOT_RUN, SET_UP

BIN = Path(sys.executable).parent
SIGNERS = ("ana@example.com", "ben@example.com", "eve@example.com")
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGJlIGJvbGQsIGJlIHRydWUsIGJlIGtpbmQsIGJlIGl0"
KNOWN = {
    "",
    "dockerfile",
    "ini",
    "json",
    "sh",
    "text",
    "toml",
    "yaml",
    "yml",
    "groovy",
    "mermaid",
    "http",
    "diff",
    "crontab",
    "python",
}
YAML = [block for block in blocks("yaml") if kind(block) != "other"]


def of(what: str) -> list[Block]:
    return [block for block in YAML if kind(block) == what]


def test_every_block_has_a_known_kind() -> None:
    strange = [str(block) for page in PAGES for block in blocks_of(page) if block.language not in KNOWN]
    assert strange == [], "a fence with a language that nothing checks"
    strange = [str(block) for block in blocks("sh") if block.mark not in ("", NOT_RUN, SET_UP)]
    assert strange == [], "say ```sh, ```sh set up or ```sh not run"
    strange = [str(block) for block in blocks("yaml") if kind(block) is None]
    assert strange == [], f"neither a pipeline file nor a workflow: say ```yaml part PLACE, one of {', '.join(PARTS)}"


@pytest.mark.parametrize("block", of("pipeline"), ids=str)
def test_every_pipeline_that_is_shown_is_valid(block: Block, tmp_path: Path) -> None:
    for folder in ("web", "worker", ".promoter"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / ".trivyignore").touch()
    (tmp_path / "freezes.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    (tmp_path / "cosign.pub").write_text("-----BEGIN PUBLIC KEY-----\n")
    (tmp_path / ".promoter" / "allowed_signers").write_text("".join(f"{person} ssh-ed25519 {KEY}\n" for person in SIGNERS))
    for words in (
        ("init", "-q"),
        ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "a"),
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    file = tmp_path / "pipeline.yaml"
    file.write_text(whole(block))
    assert checked(file).pipeline.needs


CI = {
    "workflow": (
        ".github/workflows/shown.yml",
        ("check-jsonschema --builtin-schema vendor.github-workflows", "actionlint -no-color"),
    ),
    "gitlab": (".gitlab-ci.yml", ("check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci",)),
}


@pytest.mark.parametrize("block", [block for name in CI for block in of(name)], ids=str)
def test_every_file_for_ci_that_is_shown_is_one(block: Block, tmp_path: Path) -> None:
    name, checks = CI[str(kind(block))]
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(whole(block))
    for check in checks:
        program, *options = check.split()
        done = subprocess.run([BIN / program, *options, file], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_document_that_is_shown_is_json(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(b.language == "sh" for b in blocks_of(page))], ids=lambda p: p.name
)
def test_what_is_shown_for_a_shell_is_clean(page: Path) -> None:
    """The blocks of one page together: a later one may use variables of an earlier one."""
    script = "\n".join(block.text for block in blocks_of(page) if block.language == "sh")
    parsed = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, parsed.stderr
    rules = "SC1090,SC1091,SC2034,SC2103,SC2164,SC2317"  # other files; unused here; cd; code after an example's `exit`
    command = [BIN / "shellcheck", "--shell=bash", f"--exclude={rules}", "--format=gcc", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


CALL = re.compile(r"(?:^\s*|[|;&(]\s*|^\s*(?:\w+=\S+ )+)promoter ((?:[^|>;&#\"')]|\"[^\"]*\"|'[^']*')*)")
HEREDOC = re.compile(r"<<'?(\w+)'?.*?^\1$", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in HEREDOC.sub("", block.text).splitlines()]
    return sorted({re.sub(r" \d$", "", match[1].strip()) for line in lines for match in CALL.finditer(line)})


@pytest.mark.parametrize("line", commands())
def test_every_command_that_is_shown_can_be_typed(line: str) -> None:
    words = shlex.split(line)
    while words[0].startswith("-"):
        words = words[1:] + words[:1]
    if words[0] in ("--version", "--help", "--install-completion"):
        return
    command = load_verb(words[0])
    if words[0] == "ledger":
        command, words = command.commands[words[1]], words[1:]
    assert command.make_context("promoter", words[1:]).args == []  # raises what a person would see as an error
