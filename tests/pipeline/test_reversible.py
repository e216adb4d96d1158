"""`reversible: false` in the file: part of the plan, absent from older documents, and refused where it has no effect."""

from pathlib import Path

import pytest

from promoter.gates.checks import ContainerCheck
from promoter.model.errors import InvalidFile
from promoter.model.release import Release
from promoter.pipeline.loader import validate
from promoter.pipeline.policy import policy_of
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.plan import Plan, make_plan
from promoter.promotion.recorded_plan import recorded_plan
from tests.harness import image
from tests.pipeline.pipeline_files import SOURCE

FILE = """\
name: shop
services: {web: {image: "nginx:1"}}
environments:
  prod:
    LIST:
      - CHECK
"""
JOB = "container: {service: web, command: [migrate]KEYS}"


def plan(folder: Path, check: str, where: str = "before") -> Plan:
    file = folder / "pipeline.yaml"
    file.write_text(FILE.replace("LIST", where).replace("CHECK", check))
    environment = validate(file, source=SOURCE, environ={}).resolve("prod", SOURCE, None)
    return make_plan("shop", environment, Release({"web": image("web")}, SOURCE), lambda _: "", steps_of)


def test_it_is_part_of_the_plan_and_is_read_back(tmp_path: Path) -> None:
    made = plan(tmp_path, JOB.replace("KEYS", ", reversible: false"))
    document = made.document()
    assert document["before"] == [{"container": {"service": "web", "command": ["migrate"], "reversible": False}}]
    assert "before: container web: migrate (irreversible)" in [step.title for step in made.steps]
    (job,) = recorded_plan(document, made.environment, made.release, tmp_path, steps_of).environment.before
    assert isinstance(job, ContainerCheck)
    assert not job.reversible


def test_a_file_without_it_has_the_same_documents_as_before(tmp_path: Path) -> None:
    (plain, explicit) = (plan(tmp_path, JOB.replace("KEYS", keys)) for keys in ("", ", reversible: true"))
    assert plain.document()["before"] == [{"container": {"service": "web", "command": ["migrate"]}}]
    assert plain.digest == explicit.digest
    file = tmp_path / "pipeline.yaml"
    for gate in (JOB.replace("KEYS", ""), "command: {run: [ls]}"):
        file.write_text(FILE.replace("LIST", "gates").replace("CHECK", gate))
        loaded = validate(file, source=SOURCE, environ={})
        policy = policy_of(loaded.pipeline, loaded.resolve("prod", SOURCE, None))
        assert "reversible" not in str(policy)


@pytest.mark.parametrize(
    ("where", "check", "at", "why"),
    [
        ("gates", JOB.replace("KEYS", ", reversible: false"), "reversible", "has no effect under `gates`"),
        ("verify", "command: {run: [ls], reversible: true}", "reversible", "has no effect under `verify`"),
        ("before", JOB.replace("KEYS", ", reversible: false, dry_run: true"), "dry_run", "cannot be a dry run"),
        ("before", JOB.replace("KEYS", ", reversible: perhaps"), "perhaps", "`reversible` must be true or false"),
        ("before", "http: {url: 'http://x', reversible: false}", "reversible", "unknown key `reversible`"),
    ],
)
def test_a_wrong_use_is_reported_with_its_position(tmp_path: Path, where: str, check: str, at: str, why: str) -> None:
    with pytest.raises(InvalidFile) as faults:
        plan(tmp_path, check, where)
    (complaint,) = faults.value.complaints
    assert why in complaint.message
    assert (complaint.line, complaint.column) == (6, len("      - ") + check.index(at) + 1)
