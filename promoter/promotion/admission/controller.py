"""Evaluate one release that asks to enter one environment: first what blocks it, then every gate.

The state of the ledger, the registry and the engine is read again each time. Only results of checks are kept, for a minute.
"""

from dataclasses import replace
from datetime import datetime

from promoter.gates.checks import Check, ContainerCheck
from promoter.gates.context import CheckResult, GateContext, Stay
from promoter.gates.evaluate import GateResult, RunCheck, evaluate_gates, worst
from promoter.gates.override import people_of
from promoter.gates.rule import Rule
from promoter.gates.soak import Soak
from promoter.ledger.attempts import PromotionRequest
from promoter.ledger.deployment import Deployment
from promoter.ledger.ledger import Ledger, LedgerView
from promoter.ledger.state import EnvironmentState
from promoter.model.errors import EngineError
from promoter.model.labels import Namespace
from promoter.model.release import Release
from promoter.model.verdict import Outcome, ReasonCode, Verdict, refused
from promoter.pipeline.hosts import Host
from promoter.pipeline.loader_port import Loaded
from promoter.pipeline.model import Environment
from promoter.promotion.admission.barrier import irreversible
from promoter.promotion.admission.evaluate import gates_of_rollback, make_case
from promoter.promotion.admission.holds import active_holds, in_the_way_of_rollback, newer_instead
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.admission.overrides import missing_reviews, override_of
from promoter.promotion.admission.policy_pin import Holding, hold_policy
from promoter.promotion.admission.recent_checks import RecentChecks
from promoter.promotion.admission.result import Admission
from promoter.promotion.admission.subject import Proposal, Subject
from promoter.promotion.checks.runner import Checker, tolerant
from promoter.promotion.execution.image_pull import fetch
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.provisioning import provide, provide_networks
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.inspection.current import promotion_id
from promoter.promotion.inspection.drift import KnownContainers, moved
from promoter.promotion.inspection.hosts import ask_hosts, containers_on
from promoter.promotion.inspection.uptime import observed
from promoter.promotion.plan import HashSecret, Plan, make_plan
from promoter.promotion.ports.bundle import Ports


class AdmissionController:
    """Evaluates the rules of one environment, from the facts that `ledger` has read so far."""

    def __init__(self, file: Loaded, ports: Ports, ledger: Ledger | LedgerView, name: str, terms: PromotionOptions) -> None:
        self.file, self.ports, self.ledger, self.name, self.terms = file, ports, ledger, name, terms
        self._recent = RecentChecks(ports.clock)

    def plan(self, release: Release) -> Plan:
        if self.terms.recorded is not None and self.terms.recorded.release.id == release.id:
            return self.terms.recorded
        return self.plan_with(release, self.secret_hash)

    def plan_with(self, release: Release, hash_secret: HashSecret) -> Plan:
        """Return the plan of the file, with keyed hashes of secrets from elsewhere, for use where their values are missing."""
        environment = self.file.resolve(self.name, release.source, release.id)
        return make_plan(self.file.pipeline.name, environment, release, hash_secret, steps_of)

    def secret_hash(self, name: str) -> str:
        """Return the keyed hash of a secret. Raise SecretError if its value is missing here."""
        return self.ports.secrets.keyed_hash(name, self.ledger.state.salt or "")

    def proposal(self, release: Release) -> Proposal:
        """Return the release and environment without a plan, for use without the secrets that a plan's digest covers."""
        return Proposal(self.file.resolve(self.name, release.source, release.id), release)

    def as_requested(self, request: PromotionRequest) -> tuple[Proposal, GateContext]:
        """Return what a request asks for, and its case with the votes for the plan that the request recorded."""
        proposal = self.proposal(self.ledger.state.releases[request.release].release)
        case = self._make_case(proposal, self.ports.clock.now(), request.requested_by, plan_digest=request.plan_digest)
        return proposal, replace(case, requested_seq=request.seq)

    @property
    def entry(self) -> EnvironmentState:
        return self.ledger.state.environment(self.name)

    def case(self, subject: Subject, now: datetime | None = None) -> GateContext:
        """Return what the gates evaluate, now or at another time: keys and votes expire. Without a plan, no votes count."""
        when = now or self.ports.clock.now()
        if isinstance(subject, Plan):
            promotion = promotion_id(self.ledger.state, subject)
            return self._make_case(subject, when, self.terms.actor, promotion=promotion, plan_digest=subject.digest)
        return self._make_case(subject, when, self.terms.actor)

    def at(self, subject: Subject, case: GateContext, now: datetime) -> GateContext:
        """Return the same case at another time."""
        return replace(self.case(subject, now), plan_digest=case.plan_digest, requested_seq=case.requested_seq)

    def holding(self, subject: Subject) -> Holding | None:
        """Compare the policy here with the refs that protect it. Return None if no ref does."""
        refs = (self.terms.policy_ref, *self.ledger.policy_refs)
        return hold_policy(self.file, self.file.pipeline, subject.environment, subject.release, refs)

    def evaluate(self, subject: Subject, *, run_checks: bool, case: GateContext | None = None) -> Admission:
        """Evaluate what blocks the release, then every gate. With `run_checks`, checks run if nothing else blocks the release.

        `case` replaces the current state of the ledger, for another time or for a plan as it was recorded. The checks of a
        subject without a plan cannot run.
        """
        state, case, environment = self.ledger.state, case or self.case(subject), subject.environment
        case = self._with_stays(subject, case) if run_checks else case
        found = (*self._policy(subject), *active_holds(state, environment, subject.release))
        gates = environment.gates
        if self.terms.rollback:
            found = (*self._right_to_roll_back(environment), *in_the_way_of_rollback(environment, found))
            gates = gates_of_rollback(environment)
        override = override_of(environment, case)
        if override is not None and override.verdict.outcome is Outcome.PASSED:
            return Admission((*(one for one in found if one.verdict.outcome is Outcome.REFUSED), override))
        found = (*irreversible(state, environment, subject.release), *found)
        if not self.terms.rollback:
            newer = newer_instead(state, self.name, subject.release, explicit=self.terms.explicit)
            found = (*found, *newer, *missing_reviews(self.file.pipeline, environment, state, case))
        checks = self._checks(subject, found) if run_checks else None
        admission = Admission((*found, *evaluate_gates(gates, case, checks)))
        return admission if override is None or admission.admitted else admission.with_(override)

    def of_repair(self, plan: Plan) -> Admission:
        """Evaluate what blocks a repair: a veto or a freeze, unless it is forced. No gate is evaluated: no release is new."""
        if self.terms.force is not None:
            return Admission()
        found = active_holds(self.ledger.state, plan.environment, plan.release)
        return Admission(tuple(one for one in found if one.kind in (Rule.VETO, Rule.FREEZE)))

    def under_lease(self, plan: Plan) -> Admission:
        """Evaluate again under the lease: the newest facts, and what the registry and the engine have now."""
        return self.evaluate(plan, run_checks=True).with_(*self._moved(plan))

    def overridden(self, plan: Plan) -> GateResult | None:
        """Return the result of the overrides if they admit this plan; else None."""
        override = override_of(plan.environment, self.case(plan))
        return override if override is not None and override.verdict.outcome is Outcome.PASSED else None

    # ------------------------------------------------------------ parts
    def _make_case(
        self, subject: Subject, now: datetime, actor: str, *, promotion: str = "", plan_digest: str = ""
    ) -> GateContext:
        return make_case(
            self.file.pipeline, subject, self.ledger.state, now, requested_by=actor, promotion=promotion, plan_digest=plan_digest
        )

    def _right_to_roll_back(self, environment: Environment) -> tuple[GateResult, ...]:
        policy, roles = environment.rollback, self.file.pipeline.roles
        if policy.from_ is None or policy.may(self.terms.actor, roles):
            return ()
        people = ", ".join(sorted(people_of(policy.from_, roles)))
        message = f"{self.terms.actor} may not roll back {self.name}; these may: {people}"
        return (GateResult("rollback", refused(ReasonCode.ROLE_MISSING, message), Rule.ROLLBACK),)

    def _with_stays(self, subject: Subject, case: GateContext) -> GateContext:
        """Return the case with interruptions of soak times upstream, as the engines show them."""
        stays = dict(case.stays)
        for name in {gate.in_ for gate in subject.environment.gates if isinstance(gate, Soak)}:
            stay, deployment = stays.get(name), self.ledger.state.environment(name).current
            if stay is not None and deployment is not None and stay.release == subject.release.id:
                stays[name] = self._observed(name, subject.release, stay, deployment)
        return replace(case, stays=stays)

    def _observed(self, name: str, release: Release, stay: Stay, deployment: Deployment) -> Stay:
        try:
            environment = self.file.resolve(name, release.source, release.id)
            found = containers_on(self.ports.at, Namespace(self.file.pipeline.name, name), environment)
        except EngineError as error:
            return replace(stay, down=f"the engine of {name} cannot be asked ({error.message})")
        return observed(stay, deployment, {container.id: container for _, container in found})

    def _policy(self, subject: Subject) -> tuple[GateResult, ...]:
        held = self.holding(subject)
        return () if held is None else (GateResult("policy", held.verdict, Rule.POLICY),)

    def _moved(self, plan: Plan) -> tuple[GateResult, ...]:
        """Check that the release's images still exist, and that the environment runs what the ledger recorded.

        The gates were passed for that state. It is not checked for a rollback or an override: in an emergency, anything may run.
        """
        if not plan.environment.gates or self.terms.rollback or self.overridden(plan) is not None:
            return ()
        found = ask_hosts(plan.environment.hosts, lambda host: self._moved_on(plan.on(host), host))
        if plan.environment.rollout is None and isinstance(found[0][1], EngineError):
            raise found[0][1]
        sentence = next((text for _, text in found if text is not None and not isinstance(text, EngineError)), None)
        verdict: Verdict | None = None if sentence is None else refused(ReasonCode.DIGEST_MOVED, sentence)
        return () if verdict is None else (GateResult("digests", verdict, Rule.DIGESTS),)

    def _moved_on(self, plan: Plan, host: Host) -> str | None:
        namespace, engine = Namespace(plan.pipeline, self.name), self.ports.at(host)
        whole, start, releases = self.entry.current, self.entry.start, self.ledger.state.releases
        current = whole.on(host.name) if whole is not None else None
        known = KnownContainers(
            current,
            releases[current.release].release if current is not None else None,
            start,
            releases[start.release].release if start is not None else None,
        )
        return moved(engine, self.ports.registry, namespace, plan, known)

    def _checks(self, plan: Subject, found: tuple[GateResult, ...]) -> RunCheck | None:
        """Return a function that runs a check; None if another rule already blocks the release, or if there is no plan."""
        if worst(found) is not None or not isinstance(plan, Plan):
            return None
        job = Execution(plan, promotion_id(self.ledger.state, plan), self.file.pipeline.directory, None)
        host = plan.environment.hosts[0]
        engine = self.ports.at(host)
        site = replace(job.site(engine), promotion="gate", owner=self.terms.owner)
        checker = Checker(self.ports)

        def executed(check: Check) -> CheckResult:
            if isinstance(check, ContainerCheck):
                if plan.environment.swarm is None:
                    provide(self.ports.engine(host.engine), plan.environment, job.namespace)
                else:
                    provide_networks(engine, plan.environment, job.namespace)
                made_as, platform = plan.release.images[check.service], plan.environment.services[check.service].platform
                fetch(engine, self.ports.registry, made_as, plan.images[check.service], platform, lambda *_: None)
            return checker.run(check, site)

        return lambda check: self._recent.result(plan.digest, check, lambda: tolerant(check, lambda: executed(check)))
