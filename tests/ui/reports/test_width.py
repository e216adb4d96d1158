"""No report is wider than the terminal, except commands, which are not wrapped."""

from dataclasses import replace

import pytest

from promoter.ledger.store import LeaseInfo
from promoter.model.findings import Finding, FindingKind
from promoter.promotion.results import RunResult, Status
from promoter.ui.reports.approval_request import case
from promoter.ui.reports.drift import drift
from promoter.ui.reports.explain import explained
from promoter.ui.reports.history import history
from promoter.ui.reports.inbox import inbox
from promoter.ui.reports.locks import locks
from promoter.ui.reports.logs import logs
from promoter.ui.reports.plan import planned
from promoter.ui.reports.release import difference, release
from promoter.ui.reports.status import matrix
from promoter.ui.reports.view import View
from promoter.usecases.drift import DriftReport, EnvironmentDrift
from promoter.usecases.inbox import Inbox, InboxItem
from promoter.usecases.logs import LogEntry
from promoter.usecases.status import LocksReport, StatusReport
from tests.fakes.clock import START
from tests.fakes.promoter import IMAGE, RELEASE, FakePromoter, approval_case, explanation, facts, status_report
from tests.fakes.promoter import planned as plan_result

LONG = "a sentence of many words " * 9


def texts(view: View) -> list[str]:
    report = status_report()
    faults = replace(report.environments[0], faults=(LONG,), next="promoter repair dev")
    finding = Finding("web", "shop-dev-web", FindingKind.DIGEST, "images.web", LONG, LONG)
    plan = plan_result().environments[0]
    down = replace(plan, status=Status.PENDING, details={**plan.details, "repair": [LONG]})
    return [
        matrix(StatusReport(report.pipeline, (faults, *report.environments[1:])), view),
        planned(RunResult("shop", None, (plan, down)), view),
        explained(replace(explanation(START), note=LONG), view),
        case(replace(approval_case(), commits=(LONG,)), view, brief=True),
        history(facts(), view),
        history(facts(), replace(view, verbose=True)),
        *short_views(view),
        *short_views(replace(view, verbose=True)),
        drift(DriftReport("shop", (EnvironmentDrift("dev", "drifted", "ab" * 32, (finding,), (LONG,), (LONG,)),)), view),
    ]


def short_views(view: View) -> list[str]:
    fake, held = FakePromoter(), LeaseInfo("test", LONG, 3, START, START)
    item = InboxItem("prod", RELEASE.id, "soaking", LONG, "promoter promote --to prod", START)
    changed = {"path": "services.web.environment.TEXT", "from": LONG, "to": str(IMAGE.digest), "change": "changed"}
    return [
        inbox(Inbox("shop", "ben@example.com", (item,)), view),
        locks(LocksReport("shop", ((held, True),)), view),
        release(fake.show(None), facts(), view),
        difference({**fake.diff("dev", "prod"), "changes": [changed]}, view),
        logs([LogEntry("dev", START, LONG, "short")], view),
    ]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_lines_are_wrapped_at_the_width_of_the_terminal(width: int) -> None:
    for text in texts(View(START, width=width)):
        assert [line for line in text.splitlines() if len(line) > width] == [], text


def test_a_pipe_gets_whole_lines() -> None:
    status = texts(View(START))[0]
    assert any(LONG.strip() in line for line in status.splitlines())
