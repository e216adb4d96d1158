"""The end of a run's output: what runs where, why, and the next command."""

from dataclasses import replace

import pytest

from promoter.gates.evaluate import GateResult
from promoter.gates.rule import Rule
from promoter.model.release import Release, Source
from promoter.model.verdict import ReasonCode, waiting
from promoter.model.vote import Grade
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.ui.reports.summary import origin, summary
from promoter.ui.reports.table import table
from promoter.ui.reports.view import View
from tests.fakes.clock import START
from tests.fakes.promoter import EARLIER, RELEASE, environment, result

VIEW = View(START, options="-f p.yaml")


def test_a_table_has_nothing_at_the_end_of_its_lines() -> None:
    assert table([("a", "b"), ("long", "")]) == "a     b\nlong"


def test_the_matrix_names_what_serves_now_not_what_was_wanted() -> None:
    lines = summary(
        result(
            environment("dev"),
            environment("test", Status.ROLLED_BACK, ReasonCode.UNHEALTHY, "exit code 3"),
            EnvironmentResult("prod", Status.NOT_REACHED, ReasonCode.NOT_VERIFIED_UPSTREAM, ("test is rolled back",)),
        ),
        VIEW,
    ).splitlines()
    assert lines[0].split()[-3:] == ["rolled", "back", "1.6s"]
    assert lines[1:] == [
        "  ✓  dev   deployed     0.8s  down 0.2s",
        f"  ↩  test  rolled back  0.8s  down 0.2s · {EARLIER.short_id[:7]} serves",
        "  ·  prod  not reached  -     nothing serves · test is rolled back",
        "",
        "test rolled back (unhealthy):",
        "  exit code 3",
    ]


def closed(code: ReasonCode, kind: Rule, grade: Grade | None = None) -> GateResult:
    return GateResult("a title", waiting(code, "why"), kind, grade)


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (ReasonCode.APPROVALS_MISSING, "promoter approve prod -f p.yaml"),
        (ReasonCode.APPROVAL_STALE, "promoter approve prod -f p.yaml"),
        (ReasonCode.PINNED, "promoter unpin prod --reason … -f p.yaml"),
        (ReasonCode.SOAKING, "promoter promote --to prod -f p.yaml"),
        (ReasonCode.CHECK_FAILED, "promoter promote --to prod -f p.yaml"),
    ],
)
def test_a_waiting_environment_has_a_next_step(code: ReasonCode, step: str) -> None:
    lines = summary(result(environment("prod", Status.PENDING, code, "why")), VIEW).splitlines()
    assert lines[1].endswith(" serves · why")
    assert lines[-2:] == ["", f"next: {step}"]


def test_several_reasons_of_a_waiting_environment_have_a_line_each() -> None:
    lines = summary(result(environment("prod", Status.PENDING, ReasonCode.SOAKING, "why", "and why")), VIEW).splitlines()
    assert lines[2:5] == ["", "prod pending (soaking):", "  why"]
    assert lines[5] == "  and why"


def test_the_details_name_images_and_releases_whole() -> None:
    text = summary(result(environment("dev")), replace(VIEW, verbose=True))
    assert f"web  {RELEASE.images['web']}" in text
    assert f"{RELEASE.short_id}  abababababab" in text


def test_nothing_is_wider_than_the_terminal() -> None:
    ended = environment("prod", Status.FAILED, ReasonCode.START_FAILED, "a sentence of many words " * 9, "x" * 200)
    waits = environment("prod-eu-west", Status.PENDING, ReasonCode.SOAKING, "it is too early for this " * 9)
    for width in (40, 60, 80, 100):
        text = summary(result(ended, waits), replace(VIEW, width=width, options=""))
        lines = [line for line in text.splitlines() if not line.startswith("next: ")]  # a command is not wrapped
        assert max(map(len, lines)) <= width, text


@pytest.mark.parametrize(
    ("grade", "run", "step"),
    [
        (
            Grade.PLATFORM,
            "https://ci/1",
            "review the deployment on https://ci/1; its job: promoter promote --to prod --reviews",
        ),
        (Grade.PLATFORM, None, "promoter approve prod --key FILE"),
        (Grade.SIGNED, "https://ci/1", "promoter approve prod --key FILE"),
        (Grade.ASSERTED, "https://ci/1", "promoter approve prod"),
    ],
)
def test_the_next_step_depends_on_the_kind_of_missing_vote(grade: Grade, run: str | None, step: str) -> None:
    waits = replace(environment("prod", Status.PENDING, ReasonCode.APPROVALS_MISSING, "why"), details={"run": run})
    waits = replace(waits, closed=(closed(ReasonCode.APPROVALS_MISSING, Rule.APPROVAL, grade),))
    assert summary(result(waits), VIEW).splitlines()[-1] == f"next: {step} -f p.yaml"


def test_a_result_without_a_release_has_its_own_headline() -> None:
    """A repair of all environments reports the release of each, or of none."""
    assert summary(RunResult("shop", None, ()), VIEW) == "shop: nothing was promoted yet"
    several = RunResult("shop", None, (environment("dev"), environment("test")))
    assert summary(several, VIEW).split()[:2] == ["shop:", "complete"]


def test_what_failed_suggests_nothing_and_shows_reasons_line_by_line_without_control_characters() -> None:
    text = summary(result(environment("dev", Status.FAILED, ReasonCode.START_FAILED, "one\ntwo\x1b[2J", "three")), VIEW)
    assert text.splitlines()[-4:] == ["dev failed (start_failed):", "  one", "  two[2J", "  three"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(), ""),
        (Source("a" * 40, "main", dirty=False, version="v1.2"), " (main aaaaaaaaaaaa v1.2)"),
        (Source("a" * 40, "main", dirty=False, version="a" * 7), " (main aaaaaaaaaaaa)"),
        (Source("a" * 40, None, dirty=True, version="a" * 40), " (aaaaaaaaaaaa, with uncommitted changes)"),
    ],
)
def test_where_a_release_is_from(source: Source, message: str) -> None:
    assert origin(Release({}, source)) == message


def test_several_images_are_counted() -> None:
    two = Release({"a": RELEASE.images["web"], "b": EARLIER.images["web"]}, Source())
    assert "2 images" in summary(RunResult("shop", two, (environment("dev"),)), replace(VIEW, verbose=True))


def test_where_only_signatures_count_the_next_step_names_a_key() -> None:
    gate = closed(ReasonCode.APPROVALS_MISSING, Rule.APPROVAL, Grade.SIGNED)
    output = replace(environment("prod", Status.PENDING, ReasonCode.APPROVALS_MISSING, "0 of 1"), closed=(gate,))
    assert summary(result(output), VIEW).splitlines()[-1] == "next: promoter approve prod --key FILE -f p.yaml"


def test_a_freeze_by_a_person_points_to_explain() -> None:
    frozen = environment("prod", Status.PENDING, ReasonCode.FROZEN, "freeze: prod is frozen: incident")
    text = summary(result(replace(frozen, closed=(closed(ReasonCode.FROZEN, Rule.FREEZE),))), VIEW)
    assert text.splitlines()[-1] == "next: promoter explain prod -f p.yaml"
