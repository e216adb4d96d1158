"""The doctor's findings from given values, without outside systems."""

import base64
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from promoter.adapters.diagnostics import ci, clocks, disks, engines, ledgers, registries, run
from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.engine.info import About
from promoter.adapters.registry.credentials import Login
from promoter.ledger.chain import LedgerHead
from promoter.model.errors import WorldError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("offsets", "ok", "message"),
    [
        ({"engine": 0.4, "registry a": -4.9}, True, "agrees with engine, registry a within 5 s"),
        ({"engine": 0.4, "registry a": -5.1}, False, "differs from registry a by 5 s (it is behind)"),
        ({"engine": 90061}, False, "differs from engine by 25.0 h (it is ahead)"),
        ({"engine": -600}, False, "differs from engine by 10 min (it is behind)"),
    ],
)
def test_a_clock_may_be_off_by_five_seconds(offsets: dict[str, float], ok: bool, message: str) -> None:
    found = clocks.assess({name: timedelta(seconds=seconds) for name, seconds in offsets.items()})
    assert (found.ok, found.essential, found.detail) == (ok, False, message)
    assert bool(found.remedy) is not ok


def token(**fields: object) -> str:
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, fields, "x"))


@pytest.mark.parametrize(
    ("login", "ended"),
    [
        (Login("ana", token(exp=NOW.timestamp() - 60)), NOW - timedelta(minutes=1)),
        (Login("", "", token(exp=NOW.timestamp() - 60)), NOW - timedelta(minutes=1)),
        (Login("ana", token(exp=NOW.timestamp() + 60)), None),
        (Login("ana", token(sub="ana")), None),
        (Login("ana", token(exp="soon")), None),
        (Login("ana", "a.b.c"), None),
        (Login("ana", "hunter2"), None),
    ],
)
def test_a_token_with_an_expiry_time_expires_then(login: Login, ended: datetime | None) -> None:
    assert registries.expired(login, NOW) == ended


def test_a_newer_engine_passes_and_the_used_api_version_is_shown() -> None:
    found = engines.assess("engine", "unix:///x", About("host", "30.0", "1.60", "1.51", NOW, "/var"))
    assert found.ok
    assert "API 1.51 of its 1.60: newer" in found.detail
    assert "newer" not in engines.assess("engine", "unix:///x", About("host", "20.10", "1.41", "1.41", None, "")).detail


def test_too_little_free_disk_space_is_reported() -> None:
    assert disks.assess("disk", "here", disks.ENOUGH).ok
    full = disks.assess("disk", "here", disks.ENOUGH - 1)
    assert (full.ok, full.essential, full.remedy) == (False, True, "free some space: docker system prune")


@pytest.mark.parametrize(
    ("found", "ok", "message"),
    [
        ((LedgerHead(3, "a"), LedgerHead(5, "b")), True, "fact 5, head b"),
        ((None, None), False, "ends earlier"),
        ((LedgerHead(3, "z"), LedgerHead(3, "z")), False, "fact 3 is not the one"),
    ],
)
def test_the_witness_agrees_or_not(found: tuple[LedgerHead | None, LedgerHead | None], ok: bool, message: str) -> None:
    output = ledgers.compared(LedgerHead(3, "a"), found)
    assert (output.ok, message in output.detail) == (ok, True)


def test_a_ci_job_wants_a_shared_ledger_and_a_whole_checkout() -> None:
    assert ci.platform_of({"GITHUB_ACTIONS": "true"}) == "GitHub Actions"
    assert ci.platform_of({"GITLAB_CI": "true"}) == "GitLab CI"
    assert ci.platform_of({"CI": "true"}) is None
    assert ci.home("git:promoter-ledger").ok
    assert ci.home("postgresql://db/x").ok
    assert not ci.home(None).ok
    assert "git:promoter-ledger" in str(ci.home("sqlite:x").remedy)
    assert "GIT_DEPTH" in str(ci.history("GitLab CI", shallow=True).remedy)
    assert ci.history("GitHub Actions", shallow=False).ok


def test_a_part_that_hangs_or_breaks_does_not_take_the_others_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All are checked in parallel, and reported in their order."""

    def hang() -> Iterable[Finding]:
        time.sleep(3600)
        return []

    def breaks() -> Iterable[Finding]:
        raise KeyError("a\nb")

    def fails() -> Iterable[Finding]:
        raise WorldError("it is gone", hint="bring it back")

    good = Finding("good", True, False, "here")
    parts = [
        run._Part("hung", True, hang),
        run._Part("broken", False, breaks),
        run._Part("failed", True, fails),
        run._Part("good", False, lambda: [good]),
    ]
    monkeypatch.setattr(run, "_parts", lambda _: parts)
    monkeypatch.chdir(tmp_path)
    began = time.monotonic()
    found = list(run.rounds(Path("none.yaml"), ledger=None, actor=None, timeout=0.3))[1:]
    assert time.monotonic() - began < 60
    assert [(one.part, one.ok, one.essential) for one in found] == [
        ("hung", False, True),
        ("broken", False, False),
        ("failed", False, True),
        ("good", True, False),
    ]
    assert "no answer within" in found[0].detail
    assert "KeyError: 'a\\nb'" in found[1].detail
    assert found[2].remedy == "bring it back"
