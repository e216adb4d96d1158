"""What every part of the door needs: finding releases, environments and recorded plans in the ledger."""

from collections.abc import Callable
from dataclasses import replace
from secrets import token_hex

from promoter.ledger.facts import Released
from promoter.ledger.ledger import Ledger
from promoter.ledger.state import State
from promoter.model.errors import CallerError
from promoter.model.release import Release
from promoter.model.suggest import nearest
from promoter.pipeline.loader_port import Loaded
from promoter.pipeline.model import Pipeline
from promoter.promotion import progress
from promoter.promotion.build import Made
from promoter.usecases.ports.bundle import UseCasePorts


class Looking:
    """One pipeline, its ledger and the world."""

    loaded: Loaded
    pipeline: Pipeline
    name: str
    world: UseCasePorts
    journal: Ledger
    tell: progress.Listener
    owner: str
    actor: str
    key: str | None
    git_key: Callable[[], str | None]
    policy_ref: str | None
    ci_run: str | None
    deployments: bool
    interrupt: Callable[[], None]
    _warned: bool = False

    def find_release(self, prefix: str | None) -> Release:
        """By a unique prefix of its id; the newest without one."""
        state = self.facts_so_far()
        newest = state.newest()
        if newest is None:
            raise CallerError("there is no release yet", hint="`promoter run` or `promoter build` makes one")
        if prefix is None:
            return newest.release
        found = [record.release for record in state.matching(prefix.lower())]
        if len(found) == 1:
            return found[0]
        if not found:
            hint = "`promoter status` and `promoter history` show releases"
            if prefix in self.pipeline.needs:
                hint = f"{prefix} is an environment: the release, if any, comes first, then `--to {prefix}`"
            raise CallerError(f"no release begins with {prefix!r}", hint=hint)
        several = ", ".join(release.short_id for release in found[:5])
        raise CallerError(f"{prefix!r} begins {len(found)} releases: {several}", hint="type more of its digits")

    def record_release(self, made: Made) -> bool:
        """Appends the release unless it is the newest already; True when the ledger knew it."""
        release = made.release
        state = self.facts_so_far()
        newest = state.newest()
        if newest is None or newest.release.id != release.id:
            fact = Released(pipeline=self.name, content=release.content(), tags=dict(made.tags))
            self.journal.append(lambda state: replace(fact, salt=_salt_once(state)), release=release.id)
        return release.id in state.releases

    def facts_so_far(self) -> State:
        """The ledger read up to its end. It holds one pipeline: facts of two would be taken for one another's."""
        state = self.journal.refresh()
        if state.pipeline not in (None, self.name):
            raise CallerError(
                f"the ledger {self.journal.ledger.location} is that of pipeline {state.pipeline}, not of {self.name}",
                hint="give this pipeline its own: `ledger: sqlite:.promoter/NAME.db` in the file, or --ledger",
            )
        if state.impossible and not self._warned:
            self._warned = True
            which = ", ".join(state.impossible)
            self.tell(
                progress.Notice(f"the ledger holds facts that cannot be and are passed over: {which}; `promoter ledger verify`")
            )
        return state

    def _known(self, environment: str) -> None:
        if environment not in self.pipeline.needs:
            hint = nearest(environment, self.pipeline.needs) or f"the pipeline has {', '.join(self.pipeline.needs)}"
            raise CallerError(f"{self.name} has no environment {environment!r}", hint=hint)


def _salt_once(state: State) -> str | None:
    """The pipeline's salt comes with its first release and stays for ever: hashes of secrets must stay comparable."""
    return None if state.salt else token_hex(16)
