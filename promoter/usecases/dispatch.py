"""Starting the job that carries on, once a vote has opened the gate: nobody waits for it, and no runner idles."""

from promoter.gates.evaluate import GateResult
from promoter.model.errors import CallerError, Refused
from promoter.model.verdict import Outcome
from promoter.usecases.approve import ApprovalCase, Voting
from promoter.usecases.ports.platform import Forge, Occasion, Target, platform_of


class Dispatching(Voting):
    """The part of the door that starts jobs."""

    def starter(self, target: Target) -> Forge:
        """The platform that can start `target`. Raises, before anybody has voted, for everything that is missing."""
        forge = self.world.forge(platform_of(target))
        forge.prove()
        return forge

    def still_shut(self, case: ApprovalCase) -> tuple[str, ...]:
        """What a job that is started now would have to wait for."""
        try:
            gates = self.case(case.environment, case.release.id).gates
        except (CallerError, Refused) as moved:
            return (moved.message,)
        return tuple(f"{one.gate}: {one.verdict.sentence}" for one in gates if _shut(one))

    def dispatch(self, forge: Forge, target: Target, case: ApprovalCase) -> None:
        """Raises ForgeError when it could not be started."""
        forge.dispatch(target, Occasion(self.name, case.environment, case.release.id, case.plan_digest))


def _shut(one: GateResult) -> bool:
    return one.verdict.outcome is not Outcome.PASSED and not one.kind.is_check
