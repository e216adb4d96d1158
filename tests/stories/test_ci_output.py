"""docs/ci-output.md is correct: outputs, names, files, settings, and workflows that read what is really written."""

import re
import tomllib
from pathlib import Path

import yaml

from promoter.adapters.settings import Settings
from promoter.ui.cli.ci.gitlab import Gitlab
from promoter.ui.reports.dotenv import dotenv
from promoter.ui.reports.outputs import outputs
from tests.fakes.promoter import result

PAGE = (Path(__file__).parents[2] / "docs" / "ci-output.md").read_text()
GITHUB, GITLAB = (yaml.safe_load(block) for block in re.findall(r"```yaml[^\n]*\n(.*?)```", PAGE, re.DOTALL))


def test_the_outputs_are_those_of_the_code() -> None:
    table = PAGE.partition("| output | holds |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE) == list(outputs(result(), None, None))


def test_the_workflow_reads_outputs_that_there_are() -> None:
    read = set(re.findall(r"steps\.promoter\.outputs\.([a-z-]+)", str(GITHUB)))
    assert read and read <= set(outputs(result(), None, None))


def test_the_names_of_the_dotenv_report_are_those_of_the_code() -> None:
    names = [line.partition("=")[0] for line in dotenv({}).splitlines()]
    output = PAGE.partition("The dotenv report always has")[2].partition("with the same")[0]
    assert re.findall(r"`(\w+)`", output) == names
    assert GITLAB["promote"]["environment"]["url"].removeprefix("$") in names


def test_the_job_takes_the_reports_from_where_they_are_written() -> None:
    assert GITLAB["promote"]["artifacts"]["reports"] == {"dotenv": Gitlab.dotenv, "junit": Gitlab.junit}


def test_the_settings_can_be_set() -> None:
    (output,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert Settings(**tomllib.loads(output)).summary is False
    assert {"ci", "summary", "annotations", "junit", "dotenv"} <= set(Settings.model_fields)
