"""One release entering one environment: is there anything to do, do the gates allow it, and then the runner.

Judged twice: before the lease is taken, and again under it against fresh facts, because a vote, a pin or another
promotion may have come between.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from promoter.gates.approval.rule import Approval
from promoter.gates.evaluate import GateResult, consumed_votes
from promoter.gates.rule import Rule
from promoter.ledger.chain import LedgerHead
from promoter.ledger.facts import Requested, Started
from promoter.ledger.lease import HeldLease, came_free, holding
from promoter.ledger.ledger import Guard, Ledger
from promoter.ledger.state import EnvironmentState, State
from promoter.ledger.store import LeaseInfo
from promoter.model.errors import EngineError, EngineLost, Interrupted, LeaseHeld, LeaseLost, PromoterError
from promoter.model.labels import Place, is_aside, ledger_of
from promoter.model.ownership import is_owned, owner_labels
from promoter.model.release import Release
from promoter.model.verdict import Outcome, ReasonCode, refused
from promoter.model.vote import Grade
from promoter.pipeline.loader_port import Loaded
from promoter.pipeline.model import policy_of
from promoter.promotion import progress
from promoter.promotion.admission.controller import AdmissionController, PromotionOptions
from promoter.promotion.admission.evaluate import gates_of_rollback
from promoter.promotion.admission.holds import superseded_by
from promoter.promotion.admission.overrides import overrides_used
from promoter.promotion.admission.result import Admission
from promoter.promotion.execution.comeback import Comeback
from promoter.promotion.execution.comeback import settle as settle_engine
from promoter.promotion.execution.fencing import FencedEngine, watched
from promoter.promotion.execution.job import Execution, Ran
from promoter.promotion.execution.recovery import settle
from promoter.promotion.execution.runner import Runner
from promoter.promotion.inspection.current import has_newer, lives_here, promotion_id, still_runs
from promoter.promotion.inspection.reuse import reusable
from promoter.promotion.plan import Plan
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.reconnect import AWAY
from promoter.promotion.recorded_plan import recorded_plan
from promoter.promotion.results import EnvironmentResult, Status
from promoter.promotion.steps import Before

POLL = 1.0
"""Seconds between two looks at shut gates while `--wait` holds on."""
CARRIES_ON = "the engine went away in the middle: the next run carries on"


class ShutMeanwhile(Exception):
    """A veto, a pin or a reject came between admission and the fact that would have begun the promotion."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        super().__init__()


@dataclass(frozen=True)
class EnvironmentPromotion:
    """Everything that one environment's entrance needs."""

    file: Loaded
    ports: Ports
    ledger: Ledger
    emit: progress.Listener
    name: str
    terms: PromotionOptions
    seen: list[dict[str, object]] = field(default_factory=list)
    """What every gate said when it was last asked: the record of a start names it, dry runs included."""
    comebacks: list[Comeback] = field(default_factory=list)
    """Each time that the engine went away in the middle and came back."""

    @cached_property
    def controller(self) -> AdmissionController:
        return AdmissionController(self.file, self.ports, self.ledger, self.name, self.terms)

    def go(self, release: Release) -> EnvironmentResult:
        """Never raises for what happens in the world: that is a failed environment. A caller's fault passes through."""
        deadline = self.ports.clock.monotonic() + (self.terms.wait_lock.total_seconds() if self.terms.wait_lock else 0.0)
        back_by: float | None = None
        try:
            while True:
                try:
                    with watched():
                        return self._go(release)
                except LeaseHeld as error:
                    if not self._came_free(deadline):
                        return self._end(Status.LOCKED, ReasonCode.LOCK_HELD, error.message, error.hint)
                except EngineLost as gone:
                    back_by = back_by or self.ports.clock.monotonic() + AWAY
                    if (ended := self._came_back(gone.error, release, back_by)) is not None:
                        return ended
        except LeaseLost as error:
            return self._end(Status.LOCKED, ReasonCode.LOCK_HELD, error.message, "another run has taken the environment over")
        except Interrupted:
            return self._end(Status.INTERRUPTED, ReasonCode.INTERRUPTED, f"interrupted; {self.name} is as it was")
        except PromoterError as error:
            if error.exit_code == 2:
                raise
            return self._end(Status.FAILED, error.reason_code or ReasonCode.START_FAILED, error.message, error.hint)

    def nothing_to_do(self, plan: Plan) -> bool:
        """The last promotion here had this release and this plan, and what it recorded still runs."""
        current = self._entry.current
        if current is None or self._entry.start is not None or not lives_here(self._entry, plan):
            return False  # what was cut off is brought to its end, even when all seems to be in place
        engine = self.ports.engine(plan.environment.engines[0])
        return still_runs(engine, Place(self.file.pipeline.name, self.name), current, plan)

    def not_reached(self, why: str) -> EnvironmentResult:
        """What it needs was not reached."""
        return self._end(Status.NOT_REACHED, ReasonCode.NOT_VERIFIED_UPSTREAM, f"not reached: {why}")

    # ------------------------------------------------------------ the way in
    def _go(self, release: Release) -> EnvironmentResult:
        self.ledger.refresh()
        if self.terms.pass_older and has_newer(self.ledger.state, self._entry, release):
            return self._end(Status.UNCHANGED, ReasonCode.NOTHING_TO_DO, f"{self.name} had this release and has a newer one now")
        plan = self.controller.plan(release)
        if (other := self._other_engine(plan) or self._other_ledger(plan)) is not None:
            return self._not_admitted(plan, Admission((other,)))
        if self.nothing_to_do(plan):
            return self._end(Status.UNCHANGED, ReasonCode.NOTHING_TO_DO, plan=plan)
        mend = lives_here(self._entry, plan)
        ended = self._against_repair(plan) if mend else self._wait_for_gates(plan)
        if ended is not None:
            return ended
        with holding(
            self.ledger.store, self.name, self.terms.owner, self.ports.clock, self.terms.lease_ttl, self.ports.gone
        ) as hold:
            self.ledger.refresh()
            if self.nothing_to_do(plan):
                return self._end(Status.UNCHANGED, ReasonCode.NOTHING_TO_DO, plan=plan)
            again = self.controller.of_repair(plan) if mend else self.controller.under_lease(plan)
            if not again.admitted:
                self._show(again)
                return self._not_admitted(plan, again)
            evaluated_at = None if mend else self.ledger.state.head
            self._settle_engine(plan, hold)
            self._settle_abandoned(plan, hold)
            try:
                return self._carry_out(plan, hold, evaluated_at)
            except ShutMeanwhile as shut:
                return self._not_admitted(plan, shut.admission)

    def _against_repair(self, plan: Plan) -> EnvironmentResult | None:
        admission = self.controller.of_repair(plan)
        if admission.admitted:
            return None
        self._show(admission)
        return self._not_admitted(plan, admission)

    def _came_free(self, deadline: float) -> bool:
        """Whoever waited for another run judges everything anew: that run has changed what is there."""

        def emit(held: LeaseInfo, left: float) -> None:
            self.emit(progress.Waiting(self.name, (f"another run holds {self.name}: {held.owner}",), left))

        store, clock = self.ledger.store, self.ports.clock
        return came_free(store, self.name, self.terms.owner, clock, deadline, self.ports.gone, emit)

    def _came_back(self, error: EngineError, release: Release, deadline: float) -> EnvironmentResult | None:
        """None when the engine answers again: what was cut off is carried on with then. One that ends answers a while still."""
        engine, clock = self.ports.engine(self.controller.plan(release).environment.engines[0]), self.ports.clock
        self.emit(
            progress.Waiting(self.name, (f"{error.message}; the engine went away",), max(0.0, deadline - clock.monotonic()))
        )
        went = clock.monotonic()
        try:
            while clock.monotonic() < deadline:
                clock.sleep(POLL)
                with suppress(EngineError):
                    self.comebacks.append(Comeback(engine.identify(), clock.monotonic() - went))
                    return None
        except Interrupted:
            return self._end(Status.INTERRUPTED, ReasonCode.INTERRUPTED, f"interrupted: {error.message}", CARRIES_ON)
        return self._end(Status.FAILED, error.reason_code or ReasonCode.START_FAILED, error.message, CARRIES_ON)

    def _other_engine(self, plan: Plan) -> GateResult | None:
        """Another engine than the recorded one answers at the address: nothing is done there until a person says so."""
        current, engine = self._entry.current, self.ports.engine(plan.environment.engines[0])
        if current is None or current.engine is None or self.name in self.terms.accept_engine:
            return None
        identity = engine.identify()
        if identity.fingerprint == current.engine:
            return None
        says = (
            f"another engine ({identity.name}, {identity.version}) answers at {engine.address} than the one that {self.name} "
            f"was promoted to; when that is meant, say so: PROMOTER_ACCEPT_ENGINE={self.name}"
        )
        return GateResult("engine", refused(ReasonCode.POLICY_CHANGED, says), Rule.ENGINE)

    def _other_ledger(self, plan: Plan) -> GateResult | None:
        """Containers that another ledger has recorded: its facts, its gates and its leases are not known here."""
        ours, place = self.ledger.state.chain, Place(plan.pipeline, self.name)
        if self.name in self.terms.accept_ledger:
            return None
        there = self.ports.engine(plan.environment.engines[0]).labels_by_name().items()
        serving = [labels for name, labels in there if is_owned(labels, owner_labels(place)) and not is_aside(name)]
        others = {ledger_of(labels) for labels in serving} - {None, ours}
        if not others:
            return None
        says = (
            f"the containers of {self.name} were recorded in another ledger ({', '.join(sorted(map(str, others)))}) than this "
            f"one ({ours or 'empty'}, {self.ledger.store.location}): use that ledger; when this one is to take over, set "
            f"PROMOTER_ACCEPT_LEDGER={self.name}"
        )
        return GateResult("ledger", refused(ReasonCode.OTHER_LEDGER, says), Rule.LEDGER)

    def _wait_for_gates(self, plan: Plan) -> EnvironmentResult | None:
        """None when everything is open; otherwise the answer, after as long a wait as was asked for."""
        deadline = self.ports.clock.monotonic() + (self.terms.wait.total_seconds() if self.terms.wait else 0.0)
        said: tuple[str, ...] | None = None
        while True:
            admission = self.controller.evaluate(plan, run_checks=True)
            self.seen[:] = admission.documents()
            if admission.admitted:
                self._show(admission)
                return None
            reasons = admission.reasons
            if reasons != said:
                self._show(admission)
            self._request(plan, admission)
            left = deadline - self.ports.clock.monotonic()
            if left <= 0 or admission.outcome is Outcome.REFUSED:
                return self._not_admitted(plan, admission)
            if reasons != said:
                self.emit(progress.Waiting(self.name, reasons, left))
            said = reasons
            self.ports.clock.sleep(min(POLL, left))
            self.ledger.refresh()

    def _carry_out(self, plan: Plan, hold: HeldLease, evaluated_at: LedgerHead | None) -> EnvironmentResult:
        """`judged_at` are the facts that the gates were judged by; None mends what lives here, which asks no gate."""
        entry, mend = self._entry, evaluated_at is None
        promotion = promotion_id(self.ledger.state, plan)
        resumed = entry.start is not None and entry.start.promotion == promotion
        override = None if mend else self.controller.overridden(plan)
        consumed = () if mend else self._consumed(plan, overridden=override is not None)
        hold.check()
        if not (mend or resumed):
            self._request(plan, Admission())
        running = entry.current.release if entry.current else None
        fact = Started(
            plan_digest=plan.digest, promotion=promotion, approvals=consumed, from_release=running, mend=mend, resumed=resumed,
            lease={"owner": hold.lease.owner, "token": hold.lease.token, "took_over": hold.lease.took_over}, gates=self.seen,
            policy=self._policy(plan, mend=mend), rollback=self.terms.cause.rollback, reason=self.terms.cause.reason,
        )  # fmt: skip
        self.ledger.append(fact, self.name, plan.release.id, self._open_still(plan, evaluated_at, hold))
        self.emit(progress.PromotionStarted(self.name, plan.release, plan.digest, mend))
        done = frozenset(step.id for step in plan.steps if isinstance(step, Before)) if mend else frozenset[str]()
        done |= frozenset(entry.start.steps_done) if entry.start is not None and resumed else frozenset()
        job = Execution(
            plan, promotion, self.file.pipeline.directory, running, mend, done, self.terms.cause, resumed,
            self.ledger.state.chain, reusable(entry, plan, self._document), self._ran(plan),
            entry.start.at if entry.start is not None and resumed else self.ports.clock.now(),
        )  # fmt: skip
        result = Runner(self.ports, self.ledger, self.emit, job, hold).carry_out()
        result = replace(result, details={**result.details, "gates": self.seen}) if self.seen else result
        if override is not None and result.status is Status.DEPLOYED:
            return replace(result, code=ReasonCode.OVERRIDDEN, reasons=(override.verdict.sentence,))
        return result

    def _settle_abandoned(self, plan: Plan, hold: HeldLease) -> None:
        """A promotion of another plan was cut off here: what it left is put back first, so that nothing is taken for old."""
        start = self._entry.start
        if start is not None and start.promotion != promotion_id(self.ledger.state, plan):
            settle(self.ports, self.ledger, self.emit, plan, start, hold, self._ran(plan))

    def _ran(self, plan: Plan) -> Ran | None:
        """What runs now by the ledger, as it was promoted; with the plan's own configuration where none is recorded."""
        current = self._entry.current
        if current is None:
            return None
        release = self.ledger.state.releases[current.release].release
        document = self._document(current.plan_digest)
        if document is not None:
            earlier = recorded_plan(document, plan.environment, release, self.file.pipeline.directory)
        else:
            services = {name: s for name, s in plan.environment.services.items() if name in release.images}
            earlier = replace(plan, environment=replace(plan.environment, services=services), release=release, recorded=None)
        job = Execution(earlier, current.promotion, self.file.pipeline.directory, None, ledger=self.ledger.state.chain)
        return Ran(current, job)

    def _document(self, plan_digest: str) -> Mapping[str, Any] | None:
        return self.ledger.plan_document(self.name, plan_digest)

    def _settle_engine(self, plan: Plan, hold: HeldLease) -> None:
        """The engine was restarted in the middle: nothing is started beside what it is about to let end."""
        if self.comebacks:
            engine = FencedEngine(self.ports.engine(plan.environment.engines[0]), hold.check)
            settle_engine(engine, Place(plan.pipeline, self.name), self.comebacks[-1])

    # ------------------------------------------------------------ facts about here
    @property
    def _entry(self) -> EnvironmentState:
        return self.ledger.state.environment(self.name)

    def _open_still(self, plan: Plan, evaluated_at: LedgerHead | None, hold: HeldLease) -> Guard:
        """Judges the very facts that the start would follow, when others came since the gates were judged.

        Whoever lost the lease meanwhile begins nothing.
        """

        def guard(state: State) -> None:
            hold.check()
            if evaluated_at is None and not (of_repair := self.controller.of_repair(plan)).admitted:
                raise ShutMeanwhile(of_repair)
            if evaluated_at not in (None, state.head) and not (anew := self.controller.evaluate(plan, run_checks=True)).admitted:
                raise ShutMeanwhile(anew)

        return guard

    def _consumed(self, plan: Plan, *, overridden: bool) -> tuple[str, ...]:
        """Digests of the facts that hold the votes on which this start rests."""
        case, environment = self.controller.case(plan), plan.environment
        if overridden:
            return overrides_used(environment, case)
        return consumed_votes(gates_of_rollback(environment) if self.terms.rollback else environment.gates, case)

    def _policy(self, plan: Plan, *, mend: bool = False) -> Mapping[str, object] | None:
        """What the policy was held to, for the record; nothing where it was not, or is not as it should be."""
        held = None if mend else self.controller.holding(plan)
        passed = held is not None and held.verdict.outcome is Outcome.PASSED
        return held.document(self.file.pipeline) if held is not None and passed else None

    # ------------------------------------------------------------ telling and recording
    def _request(self, plan: Plan, admission: Admission) -> None:
        """Asks in the ledger, with the whole plan, unless the very same is asked already."""
        case = self.controller.case(plan)
        request = self._entry.request
        asked = request is not None and (request.release, request.plan_digest, request.from_release, request.policy_digest) == (
            plan.release.id, plan.digest, case.running, case.policy_digest
        )  # fmt: skip
        asked = asked and not self._must_ask_itself(plan)
        if asked or not admission.asks_for_votes:
            return
        supersedes = [] if self.terms.rollback else superseded_by(self.ledger.state, self.name, plan.release)
        code = ReasonCode.OK if admission.blocking is None else admission.blocking.verdict.code
        fact = Requested(
            plan_digest=plan.digest, plan=plan.document(), from_release=case.running, policy_digest=case.policy_digest,
            requested_by=self.terms.actor, reason_code=str(code),
            reasons=admission.reasons, gates=admission.documents(), supersedes=supersedes,
            rollback=self.terms.rollback, rules=policy_of(self.file.pipeline, plan.environment),
            policy=self._policy(plan), run=self.terms.run or None,
        )  # fmt: skip
        self.ledger.append(fact, self.name, plan.release.id)
        if supersedes:
            self.emit(progress.Superseded(self.name, plan.release.id, tuple(str(one["release"]) for one in supersedes)))

    def _must_ask_itself(self, plan: Plan) -> bool:
        """A review on the platform counts for what its own run asked for: so each run asks where reviews are waited for."""
        wanted = any(isinstance(gate, Approval) and gate.grade is Grade.PLATFORM for gate in plan.environment.gates)
        return wanted and self.terms.run is not None and self._entry.asked_by.get(self.terms.run) is None

    def _run(self) -> dict[str, object]:
        return {"run": self.terms.run} if self.terms.run else {}

    def _show(self, admission: Admission) -> None:
        for one in admission.results:
            self.emit(progress.GateEvaluated(self.name, one.gate, one.verdict))

    def _not_admitted(self, plan: Plan, admission: Admission) -> EnvironmentResult:
        assert admission.blocking is not None
        status = Status.REFUSED if admission.outcome is Outcome.REFUSED else Status.PENDING
        details = {"gates": admission.documents(), **self._run()}
        result = self._end(status, admission.blocking.verdict.code, *admission.reasons, plan=plan, details=details)
        return replace(result, closed=tuple(one for one in admission.results if one.verdict.outcome is not Outcome.PASSED))

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
