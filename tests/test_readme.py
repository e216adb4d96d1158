"""README and manual say what is so: commands, exit codes, settings, files, and every example can be typed."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from promoter.cli.app import VERBS
from promoter.cli.app import load as load_verb
from promoter.cli.checked import checked
from promoter.results import Decision, exit_code
from promoter.settings import PREFIX, Settings
from tests.fakes.promoter import facts

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = PAGES[0].read_text()
SIGNERS = ("ana@example.com", "ben@example.com", "eve@example.com")
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGJlIGJvbGQsIGJlIHRydWUsIGJlIGtpbmQsIGJlIGl0"


def blocks(language: str) -> list[tuple[str, str]]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(page.name, block) for page in PAGES for block in pattern.findall(page.read_text())]


def table(heading: str) -> list[list[str]]:
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| ")][1:]


def test_the_table_of_commands_is_the_commands() -> None:
    assert [re.match(r"`promoter (\w+)", row[0])[1] for row in table("Commands")] == list(VERBS)  # type: ignore[index]


@pytest.mark.parametrize("row", table("Commands"), ids=lambda row: row[0].split()[1].strip("`"))
def test_what_the_table_shows_of_a_command_is_what_it_takes(row: list[str]) -> None:
    command = load_verb(re.match(r"`promoter (\w+)", row[0])[1])  # type: ignore[index]
    options = {option for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", row[0])) <= options
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    said = re.sub(r"\[?--[\w-]+ \w+\]?", "", row[0].partition("promoter ")[2])
    assert len(re.findall(r"\b[A-Z]{3,}\b", said)) == len(arguments)


def test_the_exit_codes_are_those_of_the_code() -> None:
    assert {int(row[0]) for row in table("Exit codes")} == {exit_code(decision) for decision in Decision} | {2}


def test_the_settings_are_those_of_the_code() -> None:
    expected = [[f"`{name}`", f"`{PREFIX}{name.upper()}`"] for name in Settings.model_fields]
    assert [row[:2] for row in table("Settings")] == expected


@pytest.mark.parametrize(("page", "block"), blocks("yaml"), ids=lambda value: value if value.endswith(".md") else "")
def test_every_pipeline_that_is_shown_is_valid(page: str, block: str, tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / ".trivyignore").touch()
    (tmp_path / "freezes.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n")
    (tmp_path / "cosign.pub").write_text("-----BEGIN PUBLIC KEY-----\n")
    (tmp_path / ".promoter").mkdir()
    (tmp_path / ".promoter" / "allowed_signers").write_text("".join(f"{person} ssh-ed25519 {KEY}\n" for person in SIGNERS))
    for words in (
        ("init", "-q"),
        ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "a"),
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    file = tmp_path / "pipeline.yaml"
    file.write_text(block if "environments:" in block else pytest.skip("a part of a file"))
    assert checked(file).pipeline.needs


@pytest.mark.parametrize(("page", "block"), blocks("json"), ids=lambda value: value if value.endswith(".md") else "")
def test_every_document_that_is_shown_is_json(page: str, block: str) -> None:
    assert json.loads(block)


def commands() -> list[str]:
    lines = [line for _, block in blocks("sh") for line in block.splitlines()]
    found = [
        match[1].strip() for line in lines for match in re.finditer(r"(?:^|[ (=])promoter ((?:[^|>;&#\"]|\"[^\"]*\")*)", line)
    ]
    return sorted(set(found))


@pytest.mark.parametrize("line", commands())
def test_every_command_that_is_shown_can_be_typed(line: str) -> None:
    words = shlex.split(line)
    words = words[1:] + words[:1] if words[0] == "--json" else words
    command = load_verb(words[0])
    if words[0] == "ledger":
        command, words = command.commands[words[1]], words[1:]
    context = command.make_context("promoter", words[1:], resilient_parsing=True)
    assert context.args == []


@pytest.mark.parametrize("target", re.findall(r"\bmake ([a-z-]+)", TEXT))
def test_every_make_target_that_is_shown_is_there(target: str) -> None:
    assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here")
@pytest.mark.parametrize(("tampered", "said"), [(False, ""), (True, "the chain breaks at fact 3\n")])
def test_the_chain_can_be_checked_with_sha256sum_and_jq(tmp_path: Path, tampered: bool, said: str) -> None:
    lines = [fact.line for fact in facts()]
    if tampered:
        lines[1] = lines[1].replace(b"ana@", b"eve@")
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    script = next(block for page, block in blocks("sh") if page == "ledger.md" and "sha256sum" in block)
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (said, "")
