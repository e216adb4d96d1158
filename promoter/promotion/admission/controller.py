"""Judging one release that asks to enter one environment: what stands in the way, then every gate.

What was looked at a moment ago is not looked at again: under the lease, and while somebody waits for votes, a check is
carried out once a minute. Everything that the ledger, the registry and the engine tell is judged afresh each time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from promoter.gates.checks import Check, ContainerCheck
from promoter.gates.context import CheckResult, GateContext, Stay
from promoter.gates.evaluate import GateResult, Look, evaluate_gates, worst
from promoter.gates.override import people_of
from promoter.gates.rule import Rule
from promoter.gates.soak import Soak
from promoter.ledger.facts import BY_ITSELF, Cause
from promoter.ledger.lease import TIME_TO_LIVE
from promoter.ledger.ledger import Ledger, LedgerView
from promoter.ledger.state import Deployment, EnvironmentState, PromotionRequest
from promoter.model.errors import EngineError
from promoter.model.labels import Place
from promoter.model.release import Release
from promoter.model.verdict import Outcome, ReasonCode, Verdict, refused
from promoter.pipeline.loader_port import Loaded
from promoter.promotion.admission.evaluate import gates_of_rollback, make_case
from promoter.promotion.admission.holds import in_the_way_of_rollback, newer_instead, standing
from promoter.promotion.admission.overrides import override_of, reviews_due
from promoter.promotion.admission.policy_pin import Holding, hold_policy
from promoter.promotion.admission.result import Admission
from promoter.promotion.checks.runner import Checker, tolerant
from promoter.promotion.execution.image_pull import fetch
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.provisioning import provide
from promoter.promotion.inspection.current import promotion_id
from promoter.promotion.inspection.drift import KnownContainers, moved
from promoter.promotion.inspection.uptime import observed
from promoter.promotion.plan import Plan, make_plan
from promoter.promotion.ports.bundle import Ports

FRESH = 60.0
"""Seconds for which the result of a check is believed."""


@dataclass(frozen=True)
class PromotionOptions:
    """How this run asks. `wait` is how long shut gates are waited for; `owner` signs the lease."""

    owner: str
    actor: str
    wait: timedelta | None = None
    wait_lock: timedelta | None = None
    """How long another run that holds the environment is waited for."""
    lease_ttl: timedelta = TIME_TO_LIVE
    accept_engine: tuple[str, ...] = ()
    """Environments that may move to another engine: a person says so."""
    policy_ref: str | None = None
    """A git ref that the settings hold the policy to, whatever the file says."""
    pass_older: bool = False
    """Leave an environment alone that had this release before and has a newer one now."""
    explicit: bool = False
    """Somebody named this very environment."""
    run: str | None = None
    """The CI run that asks."""
    rollback: bool = False
    """A rollback is a person's decision to go back to what was verified: only what `rollback: {skip: …}` leaves gates it."""
    recorded: Plan | None = None
    """Carry out this plan, as the ledger recorded it, and not the one that the file gives now."""
    force: str | None = None
    """Why a repair goes on in spite of a veto or a freeze: a person says so."""
    accept_ledger: tuple[str, ...] = ()
    """Environments whose containers another ledger has recorded, and that this one may take over."""
    cause: Cause = BY_ITSELF


@dataclass(frozen=True)
class AdmissionController:
    """Judges for one environment. Looks at the ledger as it was last read it."""

    file: Loaded
    ports: Ports
    ledger: Ledger | LedgerView
    name: str
    terms: PromotionOptions
    looks: dict[str, tuple[float, CheckResult]] = field(default_factory=dict)
    """What each check saw last, and when (seconds of the monotonic clock)."""

    def plan(self, release: Release) -> Plan:
        if self.terms.recorded is not None and self.terms.recorded.release.id == release.id:
            return self.terms.recorded
        salt = self.ledger.state.salt or ""
        environment = self.file.resolve(self.name, release.source, release.id)
        return make_plan(self.file.pipeline.name, environment, release, lambda name: self.ports.secrets.keyed_hash(name, salt))

    def plan_as_asked(self, request: PromotionRequest) -> tuple[Plan, GateContext]:
        """The plan as a request recorded it: nobody needs the secrets that went into its digest."""
        release = self.ledger.state.releases[request.release].release
        environment = self.file.resolve(self.name, release.source, release.id)
        plan = Plan(self.file.pipeline.name, environment, release, {}, ())
        now = self.ports.clock.now()
        case = make_case(self.file.pipeline, plan, self.ledger.state, request.requested_by, now, "")
        return plan, replace(case, plan_digest=request.plan_digest, requested_seq=request.seq)

    @property
    def entry(self) -> EnvironmentState:
        return self.ledger.state.environment(self.name)

    def case(self, plan: Plan) -> GateContext:
        now = self.ports.clock.now()
        promotion = promotion_id(self.ledger.state, plan)
        return make_case(self.file.pipeline, plan, self.ledger.state, self.terms.actor, now, promotion)

    def at(self, plan: Plan, case: GateContext, now: datetime) -> GateContext:
        """The same case at another time: votes are checked again, since keys and votes run out."""
        then = make_case(
            self.file.pipeline, plan, self.ledger.state, self.terms.actor, now, promotion_id(self.ledger.state, plan)
        )
        return replace(then, plan_digest=case.plan_digest, requested_seq=case.requested_seq)

    def holding(self, plan: Plan) -> Holding | None:
        """Whether the policy here is that of the refs which hold it; None when none does."""
        refs = (self.terms.policy_ref, *self.ledger.policy_refs)
        return hold_policy(self.file, self.file.pipeline, plan.environment, plan.release, refs)

    def evaluate(self, plan: Plan, *, run_checks: bool, case: GateContext | None = None) -> Admission:
        """What stands in the way, then every gate. With `look`, checks are carried out once nothing cheaper is shut.

        `case` takes the place of what the ledger says now, for another time or for a plan as it was recorded.
        """
        state, case = self.ledger.state, case or self.case(plan)
        case = self._with_stays(plan, case) if run_checks else case
        found = (*self._policy(plan), *standing(state, plan.environment, plan.release))
        if self.terms.rollback:
            found = (*self._right_to_roll_back(plan), *in_the_way_of_rollback(plan.environment, found))
            look_up = self._look(plan, found) if run_checks else None
            return Admission((*found, *evaluate_gates(gates_of_rollback(plan.environment), case, look_up)))
        override = override_of(plan.environment, case)
        if override is not None and override.verdict.outcome is Outcome.PASSED:
            return Admission((*(one for one in found if one.verdict.outcome is Outcome.REFUSED), override))
        newer = newer_instead(state, self.name, plan.release, explicit=self.terms.explicit)
        found = (*found, *newer, *reviews_due(self.file.pipeline, plan.environment, state, case))
        admission = Admission(
            (*found, *evaluate_gates(plan.environment.gates, case, self._look(plan, found) if run_checks else None))
        )
        return admission if override is None or admission.admitted else admission.with_(override)

    def of_repair(self, plan: Plan) -> Admission:
        """What stops a repair: a veto and a freeze, unless a person says to go on. It brings nothing new, so no gate is asked."""
        if self.terms.force is not None:
            return Admission()
        found = standing(self.ledger.state, plan.environment, plan.release)
        return Admission(tuple(one for one in found if one.kind in (Rule.VETO, Rule.FREEZE)))

    def under_lease(self, plan: Plan) -> Admission:
        """Under the lease, against fresh facts, and against what registry and engine hold now."""
        return self.evaluate(plan, run_checks=True).with_(*self._moved(plan))

    def overridden(self, plan: Plan) -> GateResult | None:
        """The overrides that open the way for this plan, if any do."""
        override = None if self.terms.rollback else override_of(plan.environment, self.case(plan))
        return override if override is not None and override.verdict.outcome is Outcome.PASSED else None

    # ------------------------------------------------------------ parts
    def _right_to_roll_back(self, plan: Plan) -> tuple[GateResult, ...]:
        policy, roles = plan.environment.rollback, self.file.pipeline.roles
        if policy.from_ is None or policy.may(self.terms.actor, roles):
            return ()
        people = ", ".join(sorted(people_of(policy.from_, roles)))
        says = f"{self.terms.actor} may not roll back {self.name}; these may: {people}"
        return (GateResult("rollback", refused(ReasonCode.ROLE_MISSING, says), Rule.ROLLBACK),)

    def _with_stays(self, plan: Plan, case: GateContext) -> GateContext:
        """Whether what soaks upstream ran without a break is the engine's to say."""
        stays = dict(case.stays)
        for name in {gate.in_ for gate in plan.environment.gates if isinstance(gate, Soak)}:
            stay, deployment = stays.get(name), self.ledger.state.environment(name).current
            if stay is not None and deployment is not None and stay.release == plan.release.id:
                stays[name] = self._observed(name, plan, stay, deployment)
        return replace(case, stays=stays)

    def _observed(self, name: str, plan: Plan, stay: Stay, deployment: Deployment) -> Stay:
        try:
            address = self.file.resolve(name, plan.release.source, plan.release.id).engines[0]
            found = self.ports.engine(address).find(Place(plan.pipeline, name).labels)
        except EngineError as error:
            return replace(stay, down=f"the engine of {name} cannot be asked ({error.message})")
        return observed(stay, deployment, {container.id: container for container in found})

    def _policy(self, plan: Plan) -> tuple[GateResult, ...]:
        held = self.holding(plan)
        return () if held is None else (GateResult("policy", held.verdict, Rule.POLICY),)

    def _moved(self, plan: Plan) -> tuple[GateResult, ...]:
        """Gates were passed for these bytes, over what the ledger says runs there: both must still be so.

        A rollback and an override answer an emergency, in which what runs may be anything.
        """
        if not plan.environment.gates or self.terms.rollback or self.overridden(plan) is not None:
            return ()
        place, engine = Place(plan.pipeline, self.name), self.ports.engine(plan.environment.engines[0])
        here, start, releases = self.entry.current, self.entry.start, self.ledger.state.releases
        known = KnownContainers(
            here, releases[here.release].release if here is not None else None,
            start, releases[start.release].release if start is not None else None,
        )  # fmt: skip
        sentence = moved(engine, self.ports.registry, place, plan, known)
        verdict: Verdict | None = None if sentence is None else refused(ReasonCode.DIGEST_MOVED, sentence)
        return () if verdict is None else (GateResult("digests", verdict, Rule.DIGESTS),)

    def _look(self, plan: Plan, found: tuple[GateResult, ...]) -> Look | None:
        if worst(found) is not None:
            return None
        job = Execution(plan, promotion_id(self.ledger.state, plan), self.file.pipeline.directory, None)
        engine = self.ports.engine(plan.environment.engines[0])
        site = replace(job.site(engine), promotion="gate", owner=self.terms.owner)
        checker = Checker(self.ports)

        def carried_out(check: Check) -> CheckResult:
            if isinstance(check, ContainerCheck):
                provide(engine, plan.environment, job.place)
                made_as, platform = plan.release.images[check.service], plan.environment.services[check.service].platform
                fetch(engine, self.ports.registry, made_as, plan.images[check.service], platform, lambda *_: None)
            return checker.run(check, site)

        return lambda check: self._remembered(plan, check, lambda: tolerant(check, lambda: carried_out(check)))

    def _remembered(self, plan: Plan, check: Check, run_checks: Callable[[], CheckResult]) -> CheckResult:
        key, now = f"{plan.digest} {check.model_dump_json()}", self.ports.clock.monotonic()
        known = self.looks.get(key)
        if known is not None and (known[1].passed or check.dry_run) and now - known[0] < FRESH:
            return known[1]
        result = run_checks()
        self.looks[key] = (now, result)
        return result
