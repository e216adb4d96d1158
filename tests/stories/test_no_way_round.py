"""No sequence of facts leads to a start while a gate is closed, and a refusal never opens anything.

Hypothesis combines people, runs, failures and forged facts. A second, plain evaluation of the facts, which shares no
code with the gates, checks every start.
"""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from promoter.gates.approval.rule import Approval
from promoter.gates.override import Override
from promoter.gates.soak import Soak
from promoter.ledger.chain import Fact, Kind
from promoter.model.errors import CallerError, PullError, Refused
from promoter.model.verdict import Outcome
from promoter.usecases.context import facts_so_far, find_release
from tests.harness import WEB, Harness, image
from tests.ledger.forged import Forged

PEOPLE = ("ann@example.com", "ben@example.com", "eve@example.com", "stranger@example.com")
VOTERS = PEOPLE[:3]
EMERGENCY = "olga@example.com"
EXPIRES, STAY = timedelta(hours=3), timedelta(hours=1)
VOTE = Approval.model_validate({"min": 2, "from": list(VOTERS), "exclude": ["requester"], "expires": "3h"})
SOAK = Soak.model_validate({"in": "test", "for": "1h"})
WRONGS = (
    None,
    None,
    None,
    "configuration",
    "late",
    "late",
    "reject",
    "pull",
    "create",
    "stranger",
    "requester",
    "plan_digest",
    "from",
    "veto",
    "override",
    "veto of an override",
)
RANK = {Outcome.PASSED: 0, Outcome.WAITING: 1, Outcome.REFUSED: 2}


class Ledger:
    """The plain evaluation: what must be true when a start is written, computed only from the facts before it."""

    def __init__(self, facts: list[Fact]) -> None:
        self.facts = facts

    def last(self, environment: str, *kinds: Kind) -> Fact | None:
        found = [fact for fact in self.facts if fact.environment == environment and fact.kind in kinds]
        return found[-1] if found else None

    def running(self, environment: str) -> str | None:
        there = self.last(environment, Kind.PROMOTED)
        return there.release if there else None

    def stopped(self, release: str, images: set[str]) -> str | None:
        for word, on, off, where in (
            ("pinned", Kind.PINNED, Kind.UNPINNED, "prod"),
            ("frozen", Kind.FROZEN, Kind.UNFROZEN, "prod"),
        ):
            mark = self.last(where, on, off)
            if mark is not None and mark.kind is on:
                return word
        for fact in self.facts:
            if fact.kind is Kind.VETOED and (fact.release == release or images & set(_texts(fact.body["digests"]))):
                return "vetoed"
        return None

    def soaked(self, start: Fact) -> bool:
        ends = [
            fact
            for fact in self.facts
            if fact.environment == "test" and fact.kind in (Kind.PROMOTED, Kind.FAILED, Kind.ROLLED_BACK, Kind.DRIFTED)
        ]
        return bool(ends) and self.running("test") == start.release and start.at - ends[-1].at >= STAY

    def voters(self, start: Fact) -> set[str]:
        """Return who approved exactly this, in time, with a vote that no start with changes has used."""
        used = self.used()
        plan, running = start.body["plan_digest"], self.running("prod")
        asked = [f for f in self.facts if f.kind is Kind.REQUESTED and f.environment == "prod" and f.release == start.release]
        requester = asked[-1].body["requested_by"] if asked else None
        return {
            str(vote.body["principal"])
            for vote in self.facts
            if vote.kind is Kind.APPROVED
            and (vote.environment, vote.release) == ("prod", start.release)
            and vote.body["plan_digest"] == plan
            and vote.body["from"] == running
            and start.at - vote.at < EXPIRES
            and vote.digest not in used
            and vote.body["principal"] in VOTERS
            and vote.body["principal"] != requester
        }

    def used(self) -> set[str]:
        used: dict[str, str] = {}
        for fact in self.facts:
            if fact.kind is Kind.STARTED:
                used |= dict.fromkeys(_texts(fact.body["approvals"]), str(fact.body["promotion"]))
            if fact.body.get("touched") is False:
                used = {vote: user for vote, user in used.items() if user != fact.body["promotion"]}
        return set(used)

    def rejected(self, start: Fact) -> bool:
        return any(
            fact.kind is Kind.REJECTED
            and fact.environment == "prod"
            and fact.release == start.release
            and fact.body["plan_digest"] == start.body["plan_digest"]
            and fact.body["principal"] in VOTERS
            for fact in self.facts
        )

    def overridden(self, start: Fact) -> bool:
        named = _texts(start.body["approvals"])
        return any(
            fact.kind is Kind.OVERRIDDEN and fact.digest in named and fact.body["principal"] == EMERGENCY for fact in self.facts
        )


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value]


class Delivery(RuleBasedStateMachine):
    """Actions of people and runs, in any order."""

    @initialize()
    def begin(self) -> None:
        override = Override.model_validate({"from": [EMERGENCY], "grade": "asserted"})
        self.shop = Harness(gates={"prod": (SOAK, VOTE)}, override=override)
        self.word, self.level, self.evaluated = 0, 0, 0
        self.shop.run()

    # ------------------------------------------------------------ runs
    @rule(who=st.sampled_from(PEOPLE))
    def run_a_new_release(self, who: str) -> None:
        self.word += 1
        self.shop.newer(f"word {self.word}")
        self.shop.api(who).run(None, None)

    @rule(back=st.integers(0, 2), who=st.sampled_from(PEOPLE), to=st.sampled_from([None, "prod"]))
    def promote(self, back: int, who: str, to: str | None) -> None:
        api = self.shop.api(who)
        releases = list(facts_so_far(api.context).releases)
        api.promote(releases[max(0, len(releases) - 1 - back)], to, None)

    @rule(how=st.sampled_from(["pull", "create"]))
    def something_fails(self, how: str) -> None:
        if how == "pull":
            self.shop.engine.held.clear()
        self.shop.engine.fail(how, PullError("away"))
        self.shop.api().promote(None, None, None)
        self.shop.engine._failures[how].clear()

    @rule()
    def change_the_configuration(self) -> None:
        self.level += 1
        self.shop.services["web"] = WEB.model_copy(update={"environment": {"LEVEL": str(self.level)}})

    @rule()
    def go_back_to_the_first_configuration(self) -> None:
        self.shop.services["web"] = WEB

    @rule(minutes=st.sampled_from([1, 30, 61, 200]))
    def time_passes(self, minutes: int) -> None:
        self.shop.clock.advance(timedelta(minutes=minutes))

    # ------------------------------------------------------------ people
    @rule(who=st.sampled_from(PEOPLE), decision=st.sampled_from(["approve", "approve", "approve", "reject"]))
    def vote(self, who: str, decision: str) -> None:
        api = self.shop.api(who)
        try:
            api.vote(api.case("prod", None), decision, None)
        except (CallerError, Refused):
            return

    @rule(data=st.data())
    def soak_vote_and_go_on_again(self, data: st.DataObject) -> None:
        self.soak_vote_and_go_on(data)

    @rule(data=st.data())
    def soak_vote_and_go_on(self, data: st.DataObject) -> None:
        """The usual sequence with one deviation: without it, few sequences would come near the end of a gate."""
        asks = data.draw(st.sampled_from(PEOPLE), "asks")
        if data.draw(st.sampled_from([True, True, True, False]), "fresh"):
            self.let_go("unpin")
            self.let_go("unfreeze")
            self.run_a_new_release(asks)
        self.time_passes(data.draw(st.sampled_from([1, 61, 61, 61]), "soaks"))
        self.promote(0, asks, None)
        for who in data.draw(st.lists(st.sampled_from(VOTERS), min_size=1, max_size=3, unique=True), "people"):
            self.vote(who, "approve")
        wrong = data.draw(st.sampled_from(WRONGS), "wrong")
        match wrong:
            case "configuration":
                self.change_the_configuration()
            case "late":
                self.time_passes(181)
            case "reject":
                self.vote("eve@example.com", "reject")
            case "pull" | "create":
                self.something_fails(wrong)
            case "veto" | "override" | "veto of an override":
                if wrong != "veto":
                    self.override(EMERGENCY)
                if wrong != "override":
                    api = self.shop.api()
                    api.veto(find_release(api.context, None).id, "leaks")
            case "stranger" | "requester":
                self._forged("stranger@example.com" if wrong == "stranger" else asks)
            case "plan_digest" | "from":
                self._forged("eve@example.com", **{wrong: "sha256:" + "9" * 64})
        self.promote(0, asks, None)

    def _forged(self, principal: str, **changed: str) -> None:
        """Write an approval of what waits now, as a person with write access to the ledger can do."""
        api = self.shop.api(principal)
        request = facts_so_far(api.context).environment("prod").request
        if request is None:
            return
        body = {
            "plan_digest": request.plan_digest,
            "from": request.from_release,
            "policy_digest": request.policy_digest,
            "principal": principal,
            "role": None,
            "grade": "asserted",
            "comment": "",
            "expires_at": None,
            **changed,
        }
        api.context.ledger.append(Forged(kind=Kind.APPROVED, fields=body), "prod", request.release)

    @rule(who=st.sampled_from([EMERGENCY, "eve@example.com"]))
    def override(self, who: str) -> None:
        api = self.shop.api(who)
        try:
            api.override(api.case("prod", None), "now")
        except (CallerError, Refused):
            return

    @rule(stop=st.sampled_from(["pin", "freeze"]))
    def stop(self, stop: str) -> None:
        getattr(self.shop.api(), stop)("prod", "because")

    @rule(go=st.sampled_from(["unpin", "unfreeze"]))
    def let_go(self, go: str) -> None:
        try:
            getattr(self.shop.api(), go)("prod", "because")
        except CallerError:
            return

    @rule()
    def review(self) -> None:
        try:
            self.shop.api("ben@example.com").review("prod", "seen")
        except (CallerError, Refused):
            return

    @rule(where=st.sampled_from(["test", "prod"]), again=st.booleans())
    def copy_a_vote(self, where: str, again: bool) -> None:
        """Write the last approval again, elsewhere or for what waits now."""
        api = self.shop.api("stranger@example.com")
        request = facts_so_far(api.context).environment("prod").request
        votes = [fact for fact in self.shop.store.read() if fact.kind is Kind.APPROVED]
        if votes and request is not None:
            copy = Forged(kind=Kind.APPROVED, fields=votes[-1].body)
            api.context.ledger.append(copy, where, request.release if again else votes[-1].release)

    # ------------------------------------------------------------ invariants
    @rule(refusal=st.sampled_from(["reject", "veto", "pin", "freeze"]))
    def a_refusal_opens_nothing(self, refusal: str) -> None:
        api = self.shop.api("eve@example.com")
        request = facts_so_far(api.context).environment("prod").request
        if request is None:
            return
        before = api.explain("prod", request.release, None, run_checks=False)
        override = any(one.result.kind == "override" for one in before.gates)
        try:
            if refusal == "reject":
                api.vote(api.case("prod", None), "reject", None)
            elif refusal == "veto":
                api.veto(request.release, "leaks")
            else:
                getattr(api, refusal)("prod", "because")
        except (CallerError, Refused):
            return
        after = api.explain("prod", request.release, None, run_checks=False)
        assert RANK[after.outcome] >= RANK[before.outcome]
        assert after.outcome is not Outcome.PASSED or override

    @invariant()
    def every_start_had_the_right_to_start(self) -> None:
        facts = list(self.shop.store.read()) if hasattr(self, "shop") else []
        for index in range(self.evaluated, len(facts)):
            start = facts[index]
            if start.kind is not Kind.STARTED or start.environment != "prod" or start.body["mend"]:
                continue
            before = Ledger(facts[:index])
            release = facts_so_far(self.shop.api().context).releases[str(start.release)].release
            stopped = before.stopped(str(start.release), {str(one.digest) for one in release.images.values()})
            if before.overridden(start):
                assert stopped != "vetoed", start
                continue
            assert stopped is None, (stopped, start)
            assert before.soaked(start), start
            assert not before.rejected(start), start
            assert len(before.voters(start)) >= 2, start
        self.evaluated = len(facts)

    @invariant()
    def what_was_promoted_was_started_and_runs(self) -> None:
        if not hasattr(self, "shop"):
            return
        facts = [fact for fact in self.shop.store.read() if fact.environment == "prod"]
        promoted = [fact for fact in facts if fact.kind is Kind.PROMOTED]
        starts = {fact.body["promotion"] for fact in facts if fact.kind is Kind.STARTED}
        assert all(fact.body["promotion"] in starts for fact in promoted)
        assert image("web") is not None


Delivery.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=30,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # the steps show enough, and shrinking them takes minutes
)
TestDelivery = pytest.mark.slow(Delivery.TestCase)
