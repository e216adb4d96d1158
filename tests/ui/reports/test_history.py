"""`history`: one line for each promotion and each decision, the newest first."""

from datetime import timedelta

from promoter.gates.approval.rule import Approval
from promoter.ui.reports.history import history
from promoter.ui.reports.view import View
from tests.fakes.engine import Behaviour
from tests.harness import Harness


def lines(shop: Harness, environment: str | None = "prod", *, verbose: bool = False) -> list[str]:
    text = history(shop.api().history(environment), View(shop.clock.now(), verbose=verbose))
    return [" ".join(line.split()) for line in text.splitlines()[1:]]


def test_no_entries_are_one_sentence() -> None:
    assert history([], View(Harness().clock.now())) == "nothing has happened yet"


def test_a_promotion_is_one_line_with_who_approved_it() -> None:
    shop = Harness(gates={"prod": (Approval(),)})
    release = shop.run().release
    assert release is not None
    short = release.id[:7]
    assert lines(shop) == [f"⏸ 18:00:00 prod waits {short} ann@example.com {shop.run().environments[-1].reasons[0]}"]
    api = shop.api("ben@example.com")
    api.vote(api.case("prod", None), "approve", "seen")
    assert lines(shop)[0] == f'✓ 18:00:00 prod approved {short} ben@example.com "seen"'
    shop.run()
    (line,) = lines(shop)
    assert line.startswith(f"✓ 18:00:00 prod deployed {short} ann@example.com ")
    assert line.endswith("approved: ben@example.com")


def test_failures_rollbacks_repairs_and_decisions_have_their_words() -> None:
    shop = Harness()
    shop.run()
    shop.newer("two")
    shop.run()
    shop.api("ben@example.com").rollback("prod", None, "prices wrong")
    shop.engine.crash("shop-prod-web")
    shop.api("ann@example.com").repair("prod")
    shop.api("eve@example.com").unpin("prod", "fixed")
    shop.newer("three")
    shop.engine.behave(shop.images["web"].digest, Behaviour(health="unhealthy"))
    shop.clock.advance(timedelta(days=1))
    shop.run("dev")
    assert [line.split()[4] for line in lines(shop)] == ["unpinned", "repaired", "pinned", "rolled", "deployed", "deployed"]
    assert all(line.split()[1] == "2026-11-23" for line in lines(shop)), "the date is shown: it was yesterday"
    assert any('"prices wrong"' in line for line in lines(shop))
    (failed, *_) = lines(shop, "dev")
    assert "dev failed, restored" in failed and "unhealthy" in failed


def test_with_details_each_fact_is_a_line() -> None:
    shop = Harness()
    shop.run()
    facts = shop.api().history(None)
    assert len(lines(shop, None, verbose=True)) == len(facts)
