"""The README is correct: exit codes, settings, make targets. tests/docs tests its examples."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from promoter.adapters.settings import PREFIX, Settings
from promoter.promotion.results import Decision, exit_code
from promoter.usecases.drift import DRIFT_FOUND
from tests.docs.pages import blocks_of
from tests.fakes.promoter import facts

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def table(heading: str) -> list[list[str]]:
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| ")][1:]


def test_it_shows_how_to_begin_a_tour_ci_the_file_and_the_json() -> None:
    assert [block.language for block in blocks_of(ROOT / "README.md")] == ["sh", "sh", "sh", "yaml", "json"]


def test_the_exit_codes_are_those_of_the_code() -> None:
    assert {int(row[0]) for row in table("Exit codes")} == {exit_code(decision) for decision in Decision} | {2, DRIFT_FOUND}


def test_the_settings_are_those_of_the_code() -> None:
    expected = [[f"`{name}`", f"`{PREFIX}{name.upper()}`"] for name in Settings.model_fields]
    assert [row[:2] for row in table("Settings")] == expected


@pytest.mark.parametrize("target", re.findall(r"\bmake ([a-z-]+)", TEXT))
def test_every_make_target_that_is_shown_is_there(target: str) -> None:
    assert re.search(rf"(?m)^{target}:", (ROOT / "Makefile").read_text())


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here")
@pytest.mark.parametrize(("tampered", "message"), [(False, ""), (True, "the chain breaks at fact 3\n")])
def test_the_chain_can_be_checked_with_sha256sum_and_jq(tmp_path: Path, tampered: bool, message: str) -> None:
    lines = [fact.line for fact in facts()]
    if tampered:
        lines[1] = lines[1].replace(b"ana@", b"eve@")
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    script = next(block.text for block in blocks_of(ROOT / "docs/ledger.md") if "sha256sum" in block.text)
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (message, "")
