"""Explain an environment: every gate and other blocker, who can open it, when, and with which command.

Needs no engine, and no secrets if the request has recorded the plan. Checks run only with `run_checks`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from promoter.gates.context import GateContext
from promoter.gates.evaluate import GateResult, worst
from promoter.gates.next_opening import opens_together
from promoter.gates.rule import Rule
from promoter.ledger.ledger import LedgerView
from promoter.ledger.reducer import fold
from promoter.ledger.state import State
from promoter.model.dataclass import dataclass
from promoter.model.errors import PromoterError
from promoter.model.release import Release
from promoter.model.timestamps import stamp
from promoter.model.verdict import Outcome, ReasonCode, waiting
from promoter.promotion.admission.controller import AdmissionController
from promoter.promotion.admission.options import PromotionOptions
from promoter.promotion.admission.subject import Subject
from promoter.promotion.inspection.current import is_current
from promoter.promotion.plan import Plan
from promoter.usecases.assumed_plan import plan_with_recorded_secrets
from promoter.usecases.context import Context, facts_so_far, find_release, require_environment
from promoter.usecases.openings import Opening, opening_of


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
    subject, case, note = _asked(ctx, controller, chosen, at or now)
    lives_there = isinstance(subject, Plan) and is_current(controller.entry, subject)
    results: tuple[GateResult, ...] = ()
    if not lives_there:  # else nothing waits
        admission = controller.evaluate(subject, run_checks=run_checks, case=case)
        results = (*_needed(ctx, state, environment, chosen), *admission.results)
    openings = tuple(opening_of(ctx, one, subject, case, state) for one in results)
    return Explanation(
        ctx.name,
        environment,
        chosen,
        case.now,
        openings,
        _opens(subject, case, results),
        lives_there,
        note,
    )


# ------------------------------------------------------------ parts
def _facts_until(ctx: Context, at: datetime) -> State:
    return fold(fact for fact in ctx.ledger.store.read() if fact.at <= at)


def _asked(
    ctx: Context, controller: AdmissionController, release: Release, at: datetime
) -> tuple[Subject, GateContext, str | None]:
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
            subject, note = _assumed(ctx, controller, release, error)
            case = controller.case(subject)
    return subject, controller.at(subject, case, at), note


def _assumed(ctx: Context, controller: AdmissionController, release: Release, error: PromoterError) -> tuple[Subject, str]:
    """Return what is asked for without the secrets, as far as it is known."""
    try:
        plan, missing = plan_with_recorded_secrets(ctx, controller, release)
    except PromoterError:
        return controller.proposal(release), f"it is unknown which votes count, because: {error.message}"
    return plan, f"secret {', '.join(missing)} is missing here: assumed to be as it was recorded"


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
