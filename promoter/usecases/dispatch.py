"""Starting the job that carries on, once a vote has opened the gate: nobody waits for it, and no runner idles."""

from promoter.gates.evaluate import GateResult
from promoter.model.errors import CallerError, Refused
from promoter.model.verdict import Outcome
from promoter.usecases.approve import ApprovalCase, approval_case
from promoter.usecases.context import Context
from promoter.usecases.ports.platform import Forge, Occasion, Target, platform_of


def starter(ctx: Context, target: Target) -> Forge:
    """The platform that can start `target`. Raises, before anybody has voted, for everything that is missing."""
    forge = ctx.ports.forge(platform_of(target))
    forge.prove()
    return forge


def still_shut(ctx: Context, case: ApprovalCase) -> tuple[str, ...]:
    """What a job that is started now would have to wait for."""
    try:
        gates = approval_case(ctx, case.environment, case.release.id).gates
    except (CallerError, Refused) as moved:
        return (moved.message,)
    return tuple(f"{one.gate}: {one.verdict.sentence}" for one in gates if _shut(one))


def dispatch(ctx: Context, forge: Forge, target: Target, case: ApprovalCase) -> None:
    """Raises ForgeError when it could not be started."""
    forge.dispatch(target, Occasion(ctx.name, case.environment, case.release.id, case.plan_digest))


def _shut(one: GateResult) -> bool:
    return one.verdict.outcome is not Outcome.PASSED and not one.kind.is_check
