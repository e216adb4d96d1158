"""A job that cannot be undone, on a real engine, through the command."""

import pytest

from tests.documents import value_at
from tests.live.app import App, statuses

ANA, BEN = "ana@example.com", "ben@example.com"
TITLE = "container web: sh -c echo migrated (irreversible)"
PIPELINE = """\
name: {name}
registry: {registry}/live
services:
  web: {{build: ., init: true, ports: ["127.0.0.1:{prod}:8080"]}}
environments:
  prod:
    override: {{from: [ana@example.com], grade: asserted}}
    before:
      - container: {{service: web, command: [sh, -c, echo migrated]{irreversible}}}
    verify:
      - http: {{url: "http://127.0.0.1:{prod}/", contains: ready, within: 5s, every: 200ms}}
"""


def promote(app: App, page: str, *, irreversible: bool) -> tuple[int, dict[str, object]]:
    """Make another image, and promote it with or without the key. Return the exit code and the answer."""
    app.pipeline = PIPELINE
    app.write(irreversible=", reversible: false" if irreversible else "")
    app.page(page)
    ran = app.cli("run", "--json")
    return ran.exit_code, ran.json


def release(answer: dict[str, object]) -> str:
    made = answer["release"]
    assert isinstance(made, dict)
    return str(made["id"])


@pytest.mark.matrix
def test_a_rollback_is_refused_until_a_person_overrides_it(app: App) -> None:
    first = release(promote(app, "ready one", irreversible=False)[1])
    second = release(promote(app, "ready two", irreversible=True)[1])
    before = app.container("prod")
    for words in (("rollback", "prod"), ("promote", first, "--to", "prod")):
        refused = app.cli(*words, "--json", "--actor", ANA)
        entry = refused.json["environments"][0]
        assert (refused.exit_code, entry["status"], entry["reason_code"]) == (4, "refused", "irreversible"), refused.text
        assert all(part in entry["reasons"][0] for part in (first[:12], second[:12], TITLE))
    assert app.container("prod").id == before.id
    plan = app.cli("plan", first, "--to", "prod")
    assert (plan.exit_code, "✗ barrier" in plan.stdout) == (0, True), plan.text
    assert app.cli("rollback", "prod").exit_code == 4  # an override only opens the last request
    opened = app.cli("override", "prod", first, "--reason", "the data fits", "--yes", "--actor", ANA)
    assert opened.exit_code == 0, opened.text
    back = app.cli("rollback", "prod", "--json")
    assert (back.exit_code, back.json["reason_code"], release(back.json)) == (0, "ok", first), back.text
    assert back.json["environments"][0]["reason_code"] == "overridden"
    assert app.cli("review", "prod", "--actor", BEN).exit_code == 0


@pytest.mark.matrix
def test_a_failed_promotion_restores_the_containers_and_names_the_job(app: App) -> None:
    promote(app, "ready one", irreversible=False)
    old = app.container("prod")
    code, answer = promote(app, "broken two", irreversible=True)
    entry = value_at(answer, "environments", 0)
    assert isinstance(entry, dict)
    assert (code, entry["status"], entry["irreversible"]) == (6, "rolled_back", [TITLE]), answer
    assert any(f"{TITLE} has run" in reason for reason in entry["reasons"])
    assert (app.container("prod").id, app.container("prod").status) == (old.id, "running")
    app.page("ready three")
    assert statuses(app.cli("run", "--json")) == {"prod": "deployed"}
