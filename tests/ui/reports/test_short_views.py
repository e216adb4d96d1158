"""`inbox`, `locks`, `show`, `diff` and `logs`: one line for each entry, faults first, short ids, and details with `-v`."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from promoter.ledger.chain import Kind, head_of
from promoter.ledger.store import LeaseInfo
from promoter.ui.reports.inbox import inbox
from promoter.ui.reports.locks import locks
from promoter.ui.reports.logs import logs
from promoter.ui.reports.release import difference, release
from promoter.ui.reports.view import View
from promoter.usecases.inbox import Inbox, InboxItem
from promoter.usecases.logs import LogEntry
from promoter.usecases.status import LocksReport
from tests.fakes.promoter import AT, EARLIER, IMAGE, RELEASE, FakePromoter, fact, facts

VIEW = View(AT + timedelta(minutes=2), ZoneInfo("Asia/Kathmandu"))
VERBOSE = replace(VIEW, verbose=True)
SHORT = RELEASE.id[:12]
OWNER = "ben@example.com on build-7 (0a1b2c3d), process 12 begun at 34, https://ci.example.com/runs/5"
INBOX = Inbox(
    "shop",
    "ben@example.com",
    (
        InboxItem("test", RELEASE.id, "ok", "all gates are open", f"promoter promote {SHORT} --to test", AT),
        InboxItem("prod", RELEASE.id, "approvals_missing", "0 of 1 approvals", f"promoter approve prod {SHORT}", AT),
        InboxItem("dev", RELEASE.id, "unhealthy", "web is stopped", "promoter repair dev"),
    ),
)


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_inbox_begins_with_what_is_wrong_and_ends_with_what_can_go_on() -> None:
    assert words(inbox(INBOX, replace(VIEW, options="-f shop.yaml"))) == [
        "ENV COMMAND WHY",
        f"✗ dev promoter repair dev -f shop.yaml {SHORT}: web is stopped",
        f"⏸ prod promoter approve prod {SHORT} -f shop.yaml 0 of 1 approvals (since 00:05:11, 2 min ago)",
        f"✓ test promoter promote {SHORT} --to test -f shop.yaml all gates are open (since 00:05:11, 2 min ago)",
    ]
    assert f"{RELEASE.id}: web is stopped" in inbox(INBOX, VERBOSE)
    assert "(since 2026-11-23 18:20:11Z)" in inbox(INBOX, VERBOSE)


def test_an_empty_inbox_is_one_sentence() -> None:
    assert inbox(replace(INBOX, items=()), VIEW) == "nothing waits for ben@example.com in shop"


def test_locks_begin_with_the_stale_ones() -> None:
    held = LeaseInfo("test", OWNER, 3, AT, AT + timedelta(minutes=2, seconds=28))
    report = LocksReport("shop", ((held, True), (replace(held, environment="dev"), False)))
    assert words(locks(report, VIEW)) == [
        "ENV SINCE EXPIRES HELD BY",
        "! dev 00:05:11, 2 min ago stale ben@example.com on build-7, process 12, https://ci.example.com/runs/5",
        "✓ test 00:05:11, 2 min ago in 28 s ben@example.com on build-7, process 12, https://ci.example.com/runs/5",
    ]
    assert words(locks(report, VERBOSE)) == [
        "ENV SINCE EXPIRES TOKEN HELD BY",
        f"! dev 2026-11-23 18:20:11Z stale 3 {OWNER}",
        f"✓ test 2026-11-23 18:20:11Z 2026-11-23 18:22:39Z 3 {OWNER}",
    ]


def test_a_release_is_shown_with_what_happened_to_it() -> None:
    newer = fact(Kind.PROMOTED, "dev", {"duration_ms": 900}, head_of(facts()[-1]))
    other = replace(newer, release=EARLIER.id)
    document = FakePromoter().show(None)
    text = release(document, [*facts(), other], VIEW)
    assert words(text) == [
        f"release {SHORT} (main c0ffeec0ffee, with uncommitted changes)",
        "made 00:05:11, 2 min ago, by ana@example.com",
        "runs in dev",
        "image web 127.0.0.1:5000/demo/web@abababababab",
        "tags web:v1",
        "",
        "AT ENV WHAT RELEASE BY NOTE",
        f"⏸ 00:05:11 prod waits {SHORT[:7]} ana@example.com 0 of 1 approvals",
        f"✓ 00:05:11 dev deployed {SHORT[:7]} ana@example.com down 0.0s",
        f"· 00:05:11 - released {SHORT[:7]} ana@example.com",
    ]
    whole = release(document, [*facts(), other], VERBOSE)
    for detail in (
        f"release {RELEASE.id} (main",
        f"demo/web@{IMAGE.digest}",
        "made       2026-11-23 18:20:11Z",
        "2    2026-11-23 18:20:11Z",
    ):
        assert detail in whole
    assert [line.split()[3] for line in whole.splitlines()[-4:]] == ["released", "started", "promoted", "requested"]


def test_a_request_that_another_release_replaced_does_not_wait() -> None:
    later = replace(fact(Kind.REQUESTED, "prod", {"reason_code": "soaking"}, head_of(facts()[-1])), release=EARLIER.id)
    assert "waits" not in release(FakePromoter().show(None), [*facts(), later], VIEW)


def test_a_difference_has_short_digests() -> None:
    document = FakePromoter().diff("dev", "prod")
    document["changes"] += [{"path": "image", "from": None, "to": str(IMAGE.digest), "change": "added"}]
    assert difference(document, VIEW).splitlines() == [
        f"dev   release {SHORT} (main c0ffeec0ffee, with uncommitted changes)",
        f"prod  release {EARLIER.short_id}",
        "images:",
        "  web: abababababab -> (none)",
        "commits in dev and not in prod:",
        "  c0ffee1 Be faster",
        "configuration:",
        "  ~ a: 1 -> 2",
        f"  + image: sha256:{'ab' * 6}…",
    ]
    whole = difference(document, VERBOSE)
    assert f"release {RELEASE.id} " in whole and f"web: {IMAGE.digest} -> (none)" in whole and f"+ image: {IMAGE.digest}" in whole
    same = difference({**document, "images": [], "commits": None, "changes": []}, VIEW)
    assert same.splitlines()[2:] == ["images: the same", "configuration: the same"]


def test_logs_have_a_short_line_above_each_text() -> None:
    line = "word " * 40
    entries = [LogEntry("dev", AT, "before 1", f"{line}end"), LogEntry("dev", None, "shop-dev-web (live, running)", "ready")]
    narrow = replace(VIEW, width=40)
    assert logs(entries, narrow).splitlines() == [
        "== dev: before 1, 00:05:11, 2 min ago",
        f"{line}end",
        "",
        "== dev: shop-dev-web (live, running),",
        "   now",
        "ready",
    ]
    assert logs(entries, VERBOSE).startswith("== dev: before 1, 2026-11-23 18:20:11Z\n")
    assert logs([], VIEW) == "nothing was written"
