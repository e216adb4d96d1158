"""The GitLab component as GitLab makes a job of it: inputs filled in, as values."""

import json
import re
from typing import Any

import yaml

from tests.conftest import ROOT


def component(**given: str) -> dict[str, Any]:
    """Return the one job of the GitLab component, with these inputs."""
    head, body = (ROOT / "templates/promote.yml").read_text().split("\n---\n")
    inputs = {name: spec.get("default") for name, spec in yaml.safe_load(head)["spec"]["inputs"].items()} | given
    filled = re.sub(r'"?\$\[\[ inputs\.([\w-]+) \]\]"?', lambda hole: json.dumps(inputs[hole[1]]), body)
    filled = filled.replace('promoter-"', '"promoter-', 1)
    job: dict[str, Any]
    [job] = yaml.safe_load(filled).values()
    return job
