"""Everything that this project depends on is pinned, by hash or by commit."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_has_one_version_and_a_hash_and_names_no_index(lock: Path) -> None:
    pins = [pin for pin in re.split(r"\n(?=\S)", lock.read_text().strip()) if not pin.startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.match(r"[a-z0-9._-]+==\S+.*--hash=sha256:[0-9a-f]{64}", pin, re.DOTALL)] == []
    assert "://" not in lock.read_text()


def test_the_lock_holds_what_the_project_depends_on() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = (ROOT / "requirements/run.txt").read_text()
    names = [re.split(r"[\[>=<]", name)[0] for name in wanted]
    assert [name for name in names if f"\n{name}==" not in locked] == []


WORKFLOWS = sorted([*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("pipelines/ci/github-*.yml")])


@pytest.mark.parametrize("file", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_actions_are_used_by_full_commit_or_are_our_own_at_this_commit(file: Path) -> None:
    used = re.findall(r"^\s*-?\s*uses:\s*(\S+)", file.read_text(), re.MULTILINE)
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}|\$/\S+", action)] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_begin_with_no_right_at_all(file: Path) -> None:
    assert "\npermissions: {}\n" in file.read_text()
