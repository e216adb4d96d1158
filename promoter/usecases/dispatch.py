"""Start the CI job that continues once a vote has opened the gate, so that no runner has to wait."""

from promoter.gates.evaluate import GateResult
from promoter.model.errors import CallerError, Refused
from promoter.model.verdict import Outcome
from promoter.usecases.approval_case import ApprovalCase
from promoter.usecases.approve import approval_case
from promoter.usecases.context import Context
from promoter.usecases.ports.platform import Forge, Occasion, Target, platform_of


def starter(ctx: Context, target: Target) -> Forge:
    """Return the platform that can start `target`. Called before the vote; raise for everything that is missing."""
    forge = ctx.ports.forge(platform_of(target))
    forge.prove()
    return forge


def still_closed(ctx: Context, case: ApprovalCase) -> tuple[str, ...]:
    """Return what a job that is started now would wait for."""
    try:
        gates = approval_case(ctx, case.environment, case.release.id).gates
    except (CallerError, Refused) as moved:
        return (moved.message,)
    return tuple(f"{one.gate}: {one.verdict.sentence}" for one in gates if _closed(one))


def dispatch(ctx: Context, forge: Forge, target: Target, case: ApprovalCase) -> None:
    """Start the job. Raise ForgeError when that fails."""
    forge.dispatch(target, Occasion(ctx.name, case.environment, case.release.id, case.plan_digest))


def _closed(one: GateResult) -> bool:
    return one.verdict.outcome is not Outcome.PASSED and not one.is_check
