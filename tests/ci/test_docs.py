"""The manual is correct about the action and the GitLab component, and its examples pass the linters."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from promoter import __version__
from tests.ci.component import component
from tests.conftest import ROOT

PAGE, OTHER = (ROOT / "docs" / name for name in ("github-actions.md", "other-ci.md"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
CALLED = yaml.safe_load((ROOT / ".github/workflows/promote.yml").read_text())
WORKFLOWS = re.findall(r"^```yaml\n(name: .*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def table(page: Path, heading: str) -> list[list[str]]:
    section = page.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| ")]
    return [row for row in rows if row[0].startswith("`")]


def rows(inputs: Mapping[str, Any]) -> list[list[str]]:
    def default(value: object) -> str:
        return "the default branch" if isinstance(value, list) else f"`{value}`" if value else ""

    return [[f"`{name}`", default(spec.get("default")), spec["description"]] for name, spec in inputs.items()]


def test_the_tables_are_the_action() -> None:
    assert table(PAGE, "Inputs") == rows(ACTION["inputs"])
    assert table(PAGE, "Outputs") == [[f"`{name}`", spec["description"]] for name, spec in ACTION["outputs"].items()]


def test_the_table_of_the_component_is_the_component() -> None:
    head = (ROOT / "templates/promote.yml").read_text().partition("\n---\n")[0]
    assert table(OTHER, "GitLab") == rows(yaml.safe_load(head)["spec"]["inputs"])


def test_the_called_workflow_hands_on_what_the_action_takes_and_gives() -> None:
    call, job = CALLED[True]["workflow_call"], CALLED["jobs"]["promote"]
    own = {"registry", "registry-user", "fetch-depth", "runs-on", "timeout-minutes", "github-environment"}
    not_passed = {
        "deployments",
        "github-token",
        "wheel",
        "python",
    }  # by `environment:`, by `reviews`, and only for the action
    assert call["inputs"].keys() - own == ACTION["inputs"].keys() - not_passed
    step = next(step for step in job["steps"] if step.get("id") == "promoter")
    assert step["with"].keys() == ACTION["inputs"].keys() - not_passed | {"github-token"}
    assert call["outputs"].keys() == job["outputs"].keys() == ACTION["outputs"].keys() - {"result"}
    for name in call["inputs"].keys() - own - {"ledger", "evidence"}:
        assert str(call["inputs"][name]["default"]).lower() == ACTION["inputs"][name].get("default", ""), name


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda text: text.splitlines()[0].removeprefix("name: "))
def test_a_workflow_that_is_shown_passes_the_linter_and_pins_what_it_uses(workflow: str) -> None:
    actionlint = Path(sys.executable).with_name("actionlint")
    done = subprocess.run([actionlint, "-"], input=workflow, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert re.findall(r"uses: \S+@(?![0-9a-f]{40}\b)", workflow) == []


@pytest.mark.parametrize("inputs", [{}, {"command": "promote", "environment": "prod", "rules": [{"if": "$CI_COMMIT_TAG"}]}])
def test_the_component_becomes_a_job_that_gitlab_takes(tmp_path: Path, inputs: dict[str, Any]) -> None:
    file = tmp_path / "job.yml"
    file.write_text(yaml.safe_dump({"stages": ["deploy"], "promote": component(**inputs)}))
    check = [Path(sys.executable).with_name("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", file]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_input_of_the_component_becomes_a_word_of_its_script() -> None:
    body = (ROOT / "templates/promote.yml").read_text().partition("\n---\n")[2]
    assert "$[[" not in body.partition("  script:\n")[2]


@pytest.mark.parametrize("file", ["templates/promote.yml", "pipelines/ci/Jenkinsfile", "pipelines/ci/woodpecker.yml"])
def test_what_other_ci_installs_is_this_version(file: str) -> None:
    output = re.findall(r"(?:default: |PROMOTER_VERSION(?: = '|: ))(\d+\.\d+\.\d+)", (ROOT / file).read_text())
    assert output == [__version__]


def test_small_a_release_is_never_an_option_of_the_component(tmp_path: Path) -> None:
    """Run the component's own script with a promoter that prints its arguments."""
    (tmp_path / "promoter").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo promoter {__version__} || printf "%s\\n" "$@" > said\n'
    )
    (tmp_path / "promoter").chmod(0o755)
    script = component(command="promote")["script"]
    steps = "\n".join([script[0], *script[2:]])
    variables = {
        key: value["value"] if isinstance(value, dict) else value
        for key, value in component(command="promote")["variables"].items()
    }
    for release, code, output in (("--ledger=sqlite:other.db", 2, None), ("3f2a", 0, ["promote", "--wait-lock", "10m", "3f2a"])):
        env = {**variables, "PATH": f"{tmp_path}:/usr/bin:/bin", "PROMOTER_RELEASE": release}
        (tmp_path / "said").unlink(missing_ok=True)
        done = subprocess.run(["sh", "-ec", steps], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        assert ((tmp_path / "said").read_text().splitlines() if (tmp_path / "said").exists() else None) == output


@pytest.mark.parametrize(
    "file",
    [
        "templates/promote.yml",
        "pipelines/ci/Jenkinsfile",
        "pipelines/ci/woodpecker.yml",
        "promoter/pipeline/scaffold/templates/github.yml.j2",
        "promoter/pipeline/scaffold/templates/gitlab.yml.j2",
    ],
)
def test_small_no_bare_name_is_installed(file: str) -> None:
    text = (ROOT / file).read_text()
    assert "PROMOTER_INSTALL" in text
    assert not re.search(r"pip install[^\n]*promoter==", text)
