"""The report of `drift`: first what is wrong, with its findings, then what was not compared."""

from dataclasses import replace

from promoter.model.findings import Finding, FindingKind
from promoter.ui.reports.drift import drift
from promoter.ui.reports.view import View
from promoter.usecases.drift import DriftReport, EnvironmentDrift
from tests.fakes.clock import START

RELEASE = "ab" * 32
PATH = "services.web.containers"
STOPPED = Finding("web", "shop-prod-web", FindingKind.STOPPED, PATH, "running", "exited (exit code 137)")
EXTRA = Finding("web", "copy\x1b[2J", FindingKind.EXTRA, PATH, None, "running, 0123456789ab")
PROD = EnvironmentDrift("prod", "drifted", RELEASE, (STOPPED, EXTRA), ("files",), ("the registry\x1b[2J is down",), (STOPPED,))
REPORT = DriftReport(
    "shop",
    (
        EnvironmentDrift("new", "empty"),
        EnvironmentDrift("dev", "in_sync", RELEASE, not_compared=("files",)),
        EnvironmentDrift("test", "unknown", RELEASE, reasons=("no engine",)),
        PROD,
    ),
)


def lines(report: DriftReport = REPORT, *, verbose: bool = False) -> list[str]:
    return drift(report, View(START, verbose=verbose)).splitlines()


def test_what_is_wrong_comes_first() -> None:
    heads = [line.split()[1] for line in lines() if line[2:3] in "✗?✓-" and line.startswith("  ") and line[2:3].strip()]
    assert heads[:4] == ["prod", "test", "dev", "new"]


def test_findings_are_below_their_environment_with_the_next_command() -> None:
    text = lines()
    assert text[1] == "  ✗ prod  drifted (2 findings, 1 ignored)  release abababababab"
    assert f"    stopped {PATH} [shop-prod-web]: expected running, found exited (exit code 137)" in text
    assert "    next: promoter repair prod" in text
    only_extra = DriftReport("shop", (replace(PROD, findings=(EXTRA,)),))
    assert not any("next:" in line for line in lines(only_extra))  # a repair removes no container


def test_text_of_others_is_only_text() -> None:
    assert "\x1b" not in "".join(lines())


def test_what_was_not_compared_is_named_once_with_its_environments() -> None:
    text = lines()
    assert text[text.index("not compared:") + 1 :] == ["  prod, dev: files"]


def test_ignored_findings_are_shown_on_request() -> None:
    assert not any("ignored: stopped" in line for line in lines())
    assert any("ignored: stopped" in line for line in lines(verbose=True))


def test_the_document_has_every_finding() -> None:
    document = PROD.document()
    assert document["status"] == "drifted" and document["reasons"] == list(PROD.reasons)
    assert document["findings"] == [STOPPED.document(), EXTRA.document()] and document["ignored"] == [STOPPED.document()]


def test_only_drift_is_exit_code_7() -> None:
    assert [REPORT.exit_code, *(DriftReport("shop", (one,)).exit_code for one in REPORT.environments)] == [7, 0, 0, 1, 7]
