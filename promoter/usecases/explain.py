"""Explain an environment: every gate and other blocker, who can open it, when, and with which command.

Needs no engine, and no secrets if the request has recorded the plan. Checks run only with `run_checks`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from promoter.gates.approval.rule import Approval, counting, electorate
from promoter.gates.context import GateContext
from promoter.gates.evaluate import GateResult, gate_document, worst
from promoter.gates.next_opening import opens_together
from promoter.gates.override import Override, may_override
from promoter.gates.rule import Rule
from promoter.gates.soak import Soak
from promoter.ledger.ledger import LedgerView
from promoter.ledger.reducer import fold
from promoter.ledger.state import State
from promoter.model.errors import PromoterError
from promoter.model.release import Release
from promoter.model.timestamps import stamp
from promoter.model.verdict import Outcome, ReasonCode, waiting
from promoter.model.vote import Grade
from promoter.promotion.admission.controller import AdmissionController
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.admission.subject import Subject
from promoter.promotion.inspection.current import is_current
from promoter.promotion.plan import Plan
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment

ANYONE = ("anyone",)


@dataclass(frozen=True)
class Opening:
    """One gate, who can open it (empty: only time) and the command for that."""

    result: GateResult
    who: tuple[str, ...] = ()
    command: str | None = None
    page: str | None = None
    """The page for a review on the platform; `command` imports it in a job of that run."""

    def document(self) -> dict[str, object]:
        document = {**gate_document(self.result), "kind": self.result.kind, "who": list(self.who), "command": self.command}
        return {**document, "page": self.page} if self.page else document


@dataclass(frozen=True)
class Explanation:
    """The verdicts for one release at one environment, at one time."""

    pipeline: str
    environment: str
    release: Release
    at: datetime
    gates: tuple[Opening, ...]
    opens_at: datetime | None
    """The earliest time at which time-based gates open; None when no gate waits for time, or the time is unknown."""
    lives_there: bool
    note: str | None = None

    @property
    def closed(self) -> tuple[Opening, ...]:
        return tuple(one for one in self.gates if one.result.verdict.outcome is not Outcome.PASSED)

    @property
    def blocked(self) -> tuple[Opening, ...]:
        """Return what is closed and not only a check that has not run: `promote` runs those."""
        return tuple(one for one in self.closed if one.result.verdict.code is not ReasonCode.NOT_CHECKED)

    @property
    def promote(self) -> str:
        return f"promoter promote {self.release.short_id} --to {self.environment}"

    @property
    def decides(self) -> GateResult | None:
        return worst(tuple(opening.result for opening in self.gates))

    @property
    def outcome(self) -> Outcome:
        return self.decides.verdict.outcome if self.decides else Outcome.PASSED

    @property
    def code(self) -> ReasonCode:
        if self.decides is not None:
            return self.decides.verdict.code
        return ReasonCode.NOTHING_TO_DO if self.lives_there else ReasonCode.OK

    def document(self) -> dict[str, object]:
        return {
            "pipeline": self.pipeline,
            "environment": self.environment,
            "release": self.release.document(),
            "at": stamp(self.at),
            "outcome": str(self.outcome),
            "reason_code": str(self.code),
            "opens_at": stamp(self.opens_at) if self.opens_at else None,
            "lives_there": self.lives_there,
            "note": self.note,
            "gates": [opening.document() for opening in self.gates],
        }


def explain(ctx: Context, environment: str, release: str | None, at: datetime | None, *, run_checks: bool) -> Explanation:
    """Explain the release that waits there, or the newest. A time in the past uses the facts of that time.

    Raise CallerError when there is no such environment or release.
    """
    require_environment(ctx, environment)
    ctx.ledger.glance()
    facts_so_far(ctx)
    now = ctx.ports.clock.now()
    state = _facts_until(ctx, at) if at is not None and at < now else ctx.ledger.state
    request = state.environment(environment).request
    chosen = find_release(ctx, release or (request.release if request else None))
    terms = PromotionOptions(ctx.owner, ctx.actor, policy_ref=ctx.policy_ref, explicit=True)
    if request is not None and request.release == chosen.id:
        terms = replace(terms, actor=request.requested_by, rollback=request.rollback)
    controller = AdmissionController(ctx.loaded, ctx.ports, LedgerView(state), environment, terms)
    subject, case, note = _asked(controller, chosen, at or now)
    results = (*_needed(ctx, state, environment, chosen), *controller.evaluate(subject, run_checks=run_checks, case=case).results)
    openings = tuple(_opening(ctx, one, subject, case, state) for one in results)
    return Explanation(
        ctx.name,
        environment,
        chosen,
        case.now,
        openings,
        _opens(subject, case, results),
        isinstance(subject, Plan) and is_current(controller.entry, subject),
        note,
    )


# ------------------------------------------------------------ parts
def _facts_until(ctx: Context, at: datetime) -> State:
    return fold(fact for fact in ctx.ledger.store.read() if fact.at <= at)


def _asked(controller: AdmissionController, release: Release, at: datetime) -> tuple[Subject, GateContext, str | None]:
    request, note = controller.entry.request, None
    subject: Subject
    try:
        subject = controller.plan(release)
        case = controller.case(subject)
    except PromoterError as error:
        if error.exit_code == 2:
            raise
        if request is not None and request.release == release.id:
            subject, case = controller.as_requested(request)
            note = f"using the recorded plan, because: {error.message}"
        else:
            subject = controller.proposal(release)
            case = controller.case(subject)
            note = f"it is unknown which votes count, because: {error.message}"
    return subject, controller.at(subject, case, at), note


def _needed(ctx: Context, state: State, environment: str, release: Release) -> tuple[GateResult, ...]:
    found = []
    for name in ctx.pipeline.needs[environment]:
        current = state.environment(name).current
        if current is None or current.release != release.id:
            there = f"release {current.release[:12]} runs there" if current else "nothing runs there"
            sentence = f"{name} has not verified release {release.short_id}: {there}"
            found.append(GateResult(f"needs {name}", waiting(ReasonCode.NOT_VERIFIED_UPSTREAM, sentence), Rule.NEEDS))
    return tuple(found)


def _opens(subject: Subject, case: GateContext, results: Sequence[GateResult]) -> datetime | None:
    if all(one.verdict.outcome is Outcome.PASSED for one in results if one.kind in (Rule.SOAK, Rule.WINDOW)):
        return None
    return opens_together(subject.environment.gates, case)


def _opening(ctx: Context, one: GateResult, subject: Subject, case: GateContext, state: State) -> Opening:
    if one.verdict.outcome is Outcome.PASSED:
        return Opening(one)
    name, release = subject.environment.name, subject.release.short_id
    gate = next((gate for gate in subject.environment.gates if gate.title() == one.gate), None)
    if isinstance(gate, Approval):
        return _by_vote(one, gate, case, state)
    if isinstance(gate, Soak):
        current = state.environment(gate.in_).current
        there = current is not None and current.release == subject.release.id
        return Opening(one) if there else Opening(one, ANYONE, f"promoter promote {release} --to {gate.in_}")
    commands: dict[str, str] = {
        Rule.PIN: f"promoter unpin {name} --reason TEXT",
        Rule.FREEZE: f"promoter unfreeze {name} --reason TEXT"
        if _frozen_alone(state, name)
        else "promoter unfreeze --reason TEXT",
        Rule.NEEDS: f"promoter promote {release} --to {one.gate.removeprefix('needs ')}",
        Rule.REVIEW: f"promoter review {name}{_key(subject.environment.override)}",
        Rule.SUPERSEDED: "promoter promote",
        Rule.OVERRIDE: f"promoter override {name} {release} --reason TEXT{_key(subject.environment.override)}",
    }
    if one.kind in commands:
        who: dict[str, tuple[str, ...]] = {Rule.REVIEW: reviewers(ctx, state, name), Rule.OVERRIDE: _overriders(ctx, subject)}
        return Opening(one, who.get(one.kind, ANYONE), commands[one.kind])
    if one.kind in (Rule.POLICY, Rule.VETO, Rule.WINDOW):
        return Opening(one)
    return Opening(one, ANYONE, f"promoter promote {release} --to {name}")  # a check; it runs then


def _by_vote(one: GateResult, gate: Approval, case: GateContext, state: State) -> Opening:
    if one.verdict.code is ReasonCode.REJECTED:
        return Opening(one)
    people = electorate(gate, case.roles, case.signers)
    command = f"promoter approve {case.environment} {case.release.short_id}{_key(gate)}"
    request = state.environment(case.environment).request
    page = request.run if request is not None and request.release == case.release.id else None
    if gate.grade is Grade.PLATFORM and page is not None:
        command = f"promoter promote {case.release.short_id} --to {case.environment} --reviews"
    else:
        page = None
    if people is None:
        return Opening(one, ANYONE, command, page)
    done = {vote.principal for vote in counting(gate, case)}
    out = {case.requested_by if "requester" in gate.exclude else None, case.author if "author" in gate.exclude else None}
    return Opening(one, tuple(sorted(people - done - out)), command, page)


def reviewers(ctx: Context, state: State, name: str) -> tuple[str, ...]:
    """Return who may review the overrides of an environment: every signer who did not take part in them."""
    involved = {vote.principal for pending in state.environment(name).pending_reviews for vote in pending.overrides}
    return ANYONE if ctx.pipeline.signers is None else tuple(who for who in ctx.pipeline.signers if who not in involved)


def _overriders(ctx: Context, subject: Subject) -> tuple[str, ...]:
    policy = subject.environment.override
    return tuple(sorted(may_override(policy, ctx.pipeline.roles))) if policy is not None else ()


def _frozen_alone(state: State, name: str) -> bool:
    return name in state.environments and state.environments[name].frozen is not None


def _key(rule: Approval | Override | None) -> str:
    return " --key FILE" if rule is not None and rule.grade is not Grade.ASSERTED else ""
