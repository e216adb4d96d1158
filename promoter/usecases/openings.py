"""Who can open a gate or another blocker, and with which command."""

from promoter.gates.approval.rule import Approval, counting, electorate
from promoter.gates.context import GateContext
from promoter.gates.evaluate import GateResult, gate_document
from promoter.gates.override import Override, may_override
from promoter.gates.rule import Rule
from promoter.gates.soak import Soak
from promoter.ledger.state import State
from promoter.model.dataclass import dataclass
from promoter.model.verdict import Outcome, ReasonCode
from promoter.model.vote import Grade
from promoter.promotion.admission.subject import Subject
from promoter.usecases.context import Context

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


def opening_of(ctx: Context, one: GateResult, subject: Subject, case: GateContext, state: State) -> Opening:
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
        Rule.BARRIER: f"promoter override {name} {release} --reason TEXT{_key(subject.environment.override)}",
    }
    if one.kind == Rule.BARRIER and subject.environment.override is None:
        return Opening(one)
    if one.kind in commands:
        overriders = _overriders(ctx, subject)
        who: dict[str, tuple[str, ...]] = {
            Rule.REVIEW: reviewers(ctx, state, name),
            Rule.OVERRIDE: overriders,
            Rule.BARRIER: overriders,
        }
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
