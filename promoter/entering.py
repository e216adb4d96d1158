"""One release entering one environment: is there anything to do, do the gates allow it, and then the runner.

Judged twice: before the lease is taken, and again under it against fresh facts, because a vote, a pin or another
promotion may have come between.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from promoter.abandoned import settle
from promoter.carry.checks import Checker, tolerant
from promoter.carry.fetching import fetch
from promoter.carry.providing import provide
from promoter.carry.site import Site
from promoter.gatekeeper import (
    Judged,
    consumed_votes,
    gates_of_rollback,
    in_the_way_of_rollback,
    judge_all,
    make_case,
    standing,
    worst,
)
from promoter.gates.case import Case, CheckResult
from promoter.gates.checks import Check, ContainerCheck
from promoter.here import has_newer, lives_here, promotion_id, still_runs
from promoter.job import Job
from promoter.journal import Journal
from promoter.lease import Hold, holding
from promoter.model import events
from promoter.model.errors import Interrupted, LeaseHeld, LeaseLost, PromoterError
from promoter.model.facts import Kind
from promoter.model.naming import Place
from promoter.model.release import Release
from promoter.model.verdict import Outcome, ReasonCode, refused
from promoter.overriding import override_of, overrides_used, reviews_due
from promoter.pipeline import Environment, Pipeline
from promoter.plan import Plan, make_plan
from promoter.ports import World
from promoter.results import EnvironmentResult, Status
from promoter.runner import Runner
from promoter.state import EnvironmentState

POLL = 1.0
"""Seconds between two looks at shut gates while `--wait` holds on."""


@dataclass(frozen=True)
class Terms:
    """How this run asks. `wait` is how long shut gates are waited for; `owner` signs the lease."""

    owner: str
    actor: str
    wait: timedelta | None = None
    accept_engine: tuple[str, ...] = ()
    """Environments that may move to another engine: a person says so."""
    pass_older: bool = False
    """Leave an environment alone that had this release before and has a newer one now."""
    rollback: bool = False
    """A rollback is a person's decision to go back to what was verified: only what `rollback: {skip: …}` leaves gates it."""
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Entering:
    """Everything that one environment's entrance needs."""

    pipeline: Pipeline
    resolve: Callable[[str, Release], Environment]
    world: World
    journal: Journal
    tell: events.Listener
    name: str
    terms: Terms
    seen: list[dict[str, object]] = field(default_factory=list)
    """What every gate said when it was last asked: the record of a start names it, dry runs included."""

    def go(self, release: Release) -> EnvironmentResult:
        """Never raises for what happens in the world: that is a failed environment. A caller's fault passes through."""
        try:
            return self._go(release)
        except LeaseHeld as error:
            return self._end(Status.LOCKED, ReasonCode.LOCK_HELD, error.message, error.hint)
        except LeaseLost as error:
            return self._end(Status.LOCKED, ReasonCode.LOCK_HELD, error.message, "another run has taken the environment over")
        except Interrupted:
            return self._end(Status.INTERRUPTED, ReasonCode.INTERRUPTED, f"interrupted; {self.name} is as it was")
        except PromoterError as error:
            if error.exit_code == 2:
                raise
            return self._end(Status.FAILED, error.reason_code or ReasonCode.START_FAILED, error.message, error.hint)

    def plan(self, release: Release) -> Plan:
        salt = self.journal.state.salt or ""
        environment = self.resolve(self.name, release)
        return make_plan(self.pipeline.name, environment, release, lambda name: self.world.secrets.keyed_hash(name, salt))

    def judged(self, plan: Plan, *, look: bool) -> tuple[Judged, ...]:
        """What stands in the way, then every gate."""
        state = self.journal.state
        found, case = standing(state, plan.environment, plan), self._case(plan)
        if self.terms.rollback:
            found = in_the_way_of_rollback(plan.environment, found)
            looker = self._looker(plan) if look and not found else None
            return (*found, *judge_all(gates_of_rollback(plan.environment), case, looker))
        override = override_of(plan.environment, case)
        if override is not None and override.verdict.outcome is Outcome.PASSED:
            return (*(one for one in found if one.verdict.outcome is Outcome.REFUSED), override)
        found = (*found, *reviews_due(self.pipeline, plan.environment, state, case))
        looker = self._looker(plan) if look and not found else None
        judged = (*found, *judge_all(plan.environment.gates, case, looker))
        return judged if override is None or worst(judged) is None else (*judged, override)

    def nothing_to_do(self, plan: Plan) -> bool:
        """The last promotion here had this release and this plan, and what it recorded still runs."""
        current = self._entry.current
        if current is None or not lives_here(self._entry, plan):
            return False
        engine = self.world.engine(plan.environment.engines[0])
        return still_runs(engine, Place(self.pipeline.name, self.name), current, plan)

    def not_reached(self, why: str) -> EnvironmentResult:
        """What it needs was not reached."""
        return self._end(Status.NOT_REACHED, ReasonCode.NOT_VERIFIED_UPSTREAM, f"not reached: {why}")

    # ------------------------------------------------------------ the way in
    def _go(self, release: Release) -> EnvironmentResult:
        self.journal.refresh()
        if self.terms.pass_older and has_newer(self.journal.state, self._entry, release):
            return self._end(Status.UNCHANGED, ReasonCode.NOTHING_TO_DO, f"{self.name} had this release and has a newer one now")
        plan = self.plan(release)
        if (moved := self._other_engine(plan)) is not None:
            return self._shut(plan, (moved,))
        if self.nothing_to_do(plan):
            return self._end(Status.UNCHANGED, ReasonCode.NOTHING_TO_DO, plan=plan)
        mend = lives_here(self._entry, plan)
        if not mend:
            shut = self._wait_for_gates(plan)
            if shut is not None:
                return shut
        with holding(self.journal.ledger, self.name, self.terms.owner, self.world.clock, gone=self.world.gone) as hold:
            self.journal.refresh()
            if self.nothing_to_do(plan):
                return self._end(Status.UNCHANGED, ReasonCode.NOTHING_TO_DO, plan=plan)
            if not mend and (again := worst(self._judged_again(plan))) is not None:
                return self._shut(plan, (again,))
            self._settle_abandoned(plan, hold)
            return self._carry_out(plan, hold, mend=mend)

    def _other_engine(self, plan: Plan) -> Judged | None:
        """Another engine than the recorded one answers at the address: nothing is done there until a person says so."""
        current, engine = self._entry.current, self.world.engine(plan.environment.engines[0])
        if current is None or current.engine is None or self.name in self.terms.accept_engine:
            return None
        identity = engine.identify()
        if identity.fingerprint == current.engine:
            return None
        says = (
            f"another engine ({identity.name}, {identity.version}) answers at {engine.address} than the one that {self.name} "
            f"was promoted to; when that is meant, say so: PROMOTER_ACCEPT_ENGINE={self.name}"
        )
        return Judged("engine", refused(ReasonCode.POLICY_CHANGED, says))

    def _wait_for_gates(self, plan: Plan) -> EnvironmentResult | None:
        """None when everything is open; otherwise the answer, after as long a wait as was asked for."""
        deadline = self.world.clock.monotonic() + (self.terms.wait.total_seconds() if self.terms.wait else 0.0)
        said: tuple[str, ...] | None = None
        while True:
            judged = self.judged(plan, look=True)
            self.seen[:] = map(gate_document, judged)
            if worst(judged) is None:
                self._show(judged)
                return None
            reasons = _reasons(judged)
            if reasons != said:
                self._show(judged)
            self._request(plan, judged)
            left = deadline - self.world.clock.monotonic()
            if left <= 0 or worst(judged).verdict.outcome is Outcome.REFUSED:  # type: ignore[union-attr]
                return self._shut(plan, judged)
            if reasons != said:
                self.tell(events.Waiting(self.name, reasons, left))
            said = reasons
            self.world.clock.sleep(min(POLL, left))
            self.journal.refresh()

    def _judged_again(self, plan: Plan) -> tuple[Judged, ...]:
        """Under the lease, against fresh facts. Checks that were seen to pass a moment ago are not carried out twice."""
        checks = {gate.title() for gate in plan.environment.gates if isinstance(gate, Check)}
        return tuple(one for one in self.judged(plan, look=False) if one.gate not in checks)

    def _carry_out(self, plan: Plan, hold: Hold, *, mend: bool) -> EnvironmentResult:
        entry, case = self._entry, self._case(plan)
        promotion = promotion_id(self._entry, plan)
        resumed = entry.start is not None and entry.start.promotion == promotion
        override = override_of(plan.environment, case)
        overriding = override is not None and override.verdict.outcome is Outcome.PASSED and not self.terms.rollback
        if mend:
            consumed: tuple[str, ...] = ()
        elif self.terms.rollback:
            consumed = consumed_votes(gates_of_rollback(plan.environment), case)
        else:
            consumed = overrides_used(plan.environment, case) if overriding else consumed_votes(plan.environment.gates, case)
        if not (mend or resumed):
            self._request(plan, ())
        lease = {"owner": hold.lease.owner, "token": hold.lease.token, "took_over": hold.lease.took_over}
        body = {
            "plan_digest": plan.digest, "promotion": promotion, "approvals": list(consumed), "from": case.running,
            "mend": mend, "resumed": resumed, "lease": lease, "gates": self.seen,
            **self.terms.extra,
        }  # fmt: skip
        self.journal.record(Kind.STARTED, self.name, plan.release.id, body)
        self.tell(events.PromotionStarted(self.name, plan.release, plan.digest, mend))
        previous = entry.current.release if entry.current else None
        done = frozenset(entry.start.steps_done) if entry.start is not None and resumed else frozenset()
        job = Job(plan, promotion, self.pipeline.directory, previous, mend, done, self.terms.extra)
        result = Runner(self.world, self.journal, self.tell, job, hold).carry_out()
        result = replace(result, details={**result.details, "gates": self.seen}) if self.seen else result
        if consumed and overriding and override is not None and result.status is Status.DEPLOYED:
            return replace(result, code=ReasonCode.OVERRIDDEN, reasons=(override.verdict.sentence,))
        return result

    def _settle_abandoned(self, plan: Plan, hold: Hold) -> None:
        """A promotion of another plan was cut off here: what it left is put back first, so that nothing is taken for old."""
        start = self._entry.start
        if start is not None and start.promotion != promotion_id(self._entry, plan):
            settle(self.world, self.journal, self.tell, plan, start, hold)

    # ------------------------------------------------------------ facts about here
    @property
    def _entry(self) -> EnvironmentState:
        return self.journal.state.environment(self.name)

    def _case(self, plan: Plan) -> Case:
        now = self.world.clock.now()
        return make_case(self.pipeline, plan, self.journal.state, self.terms.actor, now, promotion_id(self._entry, plan))

    def _looker(self, plan: Plan) -> Callable[[Check], CheckResult]:
        job = Job(plan, promotion_id(self._entry, plan), self.pipeline.directory, None)
        engine = self.world.engine(plan.environment.engines[0])
        site = Site(
            job.place, plan.release, plan.images, "gate", plan.environment.services, job.files, Path(job.directory), engine
        )
        checker = Checker(self.world)

        def look(check: Check) -> CheckResult:
            return tolerant(check, lambda: checked(check))

        def checked(check: Check) -> CheckResult:
            if isinstance(check, ContainerCheck):
                provide(engine, plan.environment, job.place)
                made_as, platform = plan.release.images[check.service], plan.environment.services[check.service].platform
                fetch(engine, self.world.registry, made_as, plan.images[check.service], platform, lambda *_: None)
            return checker.look(check, site)

        return look

    # ------------------------------------------------------------ telling and recording
    def _request(self, plan: Plan, judged: tuple[Judged, ...]) -> None:
        """Asks in the ledger, with the whole plan, unless the very same is asked already."""
        case = self._case(plan)
        request = self._entry.request
        asked = request is not None and (request.release, request.plan_digest, request.from_release, request.policy_digest) == (
            plan.release.id, plan.digest, case.running, case.policy_digest
        )  # fmt: skip
        if asked:
            return
        shut = worst(judged)
        body = {
            "plan_digest": plan.digest, "plan": plan.document(), "from": case.running, "policy_digest": case.policy_digest,
            "requested_by": self.terms.actor, "reason_code": str(shut.verdict.code if shut else ReasonCode.OK),
            "reasons": list(_reasons(judged)), "gates": [gate_document(one) for one in judged],
        }  # fmt: skip
        self.journal.record(Kind.REQUESTED, self.name, plan.release.id, body)

    def _show(self, judged: tuple[Judged, ...]) -> None:
        for one in judged:
            self.tell(events.GateJudged(self.name, one.gate, one.verdict))

    def _shut(self, plan: Plan, judged: tuple[Judged, ...]) -> EnvironmentResult:
        verdict = worst(judged).verdict  # type: ignore[union-attr]
        status = Status.REFUSED if verdict.outcome is Outcome.REFUSED else Status.PENDING
        gates = [gate_document(one) for one in judged]
        return self._end(status, verdict.code, *_reasons(judged), plan=plan, details={"gates": gates})

    def _end(
        self,
        status: Status,
        code: ReasonCode,
        *reasons: str | None,
        plan: Plan | None = None,
        details: Mapping[str, object] | None = None,
    ) -> EnvironmentResult:
        current = self._entry.current
        said = tuple(reason for reason in reasons if reason)
        digest, previous = plan.digest if plan else None, current.release if current else None
        return EnvironmentResult(self.name, status, code, said, digest, previous, details=details or {})


def gate_document(one: Judged) -> dict[str, object]:
    verdict = one.verdict
    opens = verdict.opens_at.isoformat() if verdict.opens_at else None
    return {
        "gate": one.gate,
        "outcome": str(verdict.outcome),
        "reason_code": str(verdict.code),
        "sentence": verdict.sentence,
        "opens_at": opens,
    }


def _reasons(judged: tuple[Judged, ...]) -> tuple[str, ...]:
    return tuple(f"{one.gate}: {one.verdict.sentence}" for one in judged if one.verdict.outcome is not Outcome.PASSED)
