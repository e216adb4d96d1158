"""What `promoter init` writes and where, from the answers and what is here: the pipeline file, and a CI platform's workflow."""

from collections.abc import Callable
from pathlib import Path

from promoter.adapters.git.checkout import Checkout, checkout_of
from promoter.model.errors import CallerError
from promoter.pipeline.scaffold.ci_workflow import PLACES, Job, workflow_text
from promoter.pipeline.scaffold.importer import PipelineDraft
from promoter.pipeline.scaffold.writer import ENVIRONMENTS, LOOPBACK, SHARED_LEDGER, Wishes, default_registry, pipeline_text
from promoter.ui.cli.console import complain
from promoter.ui.cli.init_questions import NONE, Answers, Said, Usual, answers, check_ci
from promoter.ui.cli.load_file import checked


class Beginning:
    """A pipeline file at `target` that is not there yet. `take` reads the source, under another name where one is given."""

    def __init__(self, target: Path, take: Callable[[str | None], PipelineDraft]) -> None:
        self._target, self._take = target, take
        self._checkout = checkout_of(target.absolute().parent)

    def texts(self, said: Said, *, ask: bool) -> dict[Path, str]:
        draft = self._take(None)
        usual = Usual(draft.name, lambda ci: self._registry(draft, ci), ENVIRONMENTS, self._platform())
        told = answers(said, usual, ask=ask)
        if told.name != draft.name:
            draft = self._take(told.name)
            if told.registry == self._registry(self._take(None), told.ci):
                told = Answers(told.name, self._registry(draft, told.ci), told.environments, told.approvers, told.ci)
        ci = told.ci != NONE
        wishes = Wishes(told.registry, told.environments, told.approvers, SHARED_LEDGER if ci else None, elsewhere=ci)
        texts = {self._target: pipeline_text(draft, wishes)}
        if ci:
            root = _root(self._checkout, self._target)
            host = (told.registry or "").partition("/")[0] if draft.built else ""
            texts |= _workflow(told.ci, root, self._target, draft.name, told.environments[-1], host, None)
        return texts

    def _registry(self, draft: PipelineDraft, ci: str) -> str | None:
        """The one that comes with the platform, where it is known which."""
        if not draft.built:
            return None
        here = self._checkout
        if here is None or not here.path or ci == NONE:
            return default_registry(draft)
        return f"{'ghcr.io' if ci == 'github' else f'registry.{here.host}'}/{here.path.lower()}"

    def _platform(self) -> str:
        here = self._checkout
        if here is None:
            return NONE
        if (here.root / ".gitlab-ci.yml").exists() or "gitlab" in here.host:
            return "gitlab"
        return "github" if (here.root / ".github").exists() or "github" in here.host else NONE


def existing(target: Path, said: Said) -> dict[Path, str]:
    """Only the workflow, for a pipeline file that is there. Raises CallerError where nothing else was asked for either."""
    if said.ci is None or said.ci == NONE:
        raise CallerError(f"{target} is there already", hint="say --force to write over it, or -f FILE to write elsewhere")
    given = {"--name": said.name, "--registry": said.registry, "--environments": said.environments, "--approvers": said.approvers}
    for option, value in given.items():
        if value is not None:
            raise CallerError(f"{option} says what is in {target}, which is there already", hint="say --force to write it anew")
    try:
        ci = check_ci(said.ci)
    except ValueError as error:
        raise CallerError(f"--ci: {error}") from error
    pipeline = checked(target).pipeline
    root = _root(checkout_of(target.absolute().parent), target)
    ledger = None if pipeline.ledger else SHARED_LEDGER
    if pipeline.ledger and pipeline.ledger.startswith("sqlite:"):
        complain(
            f"promoter: the ledger {pipeline.ledger} is a file: on a runner that is thrown away it is lost with each job, "
            f"and with it every approval and what runs where\n  name one that all runners share: `ledger: {SHARED_LEDGER}`"
        )
    return _workflow(ci, root, target, pipeline.name, list(pipeline.needs)[-1], _pushed_to(target), ledger)


def _pushed_to(target: Path) -> str:
    from promoter.ui.cli.load_file import source_of

    wanted = checked(target).builds(source_of(target)).values()
    return next((built.repository.host for built in wanted if hasattr(built, "repository")), "")


def _root(checkout: Checkout | None, target: Path) -> Checkout:
    if checkout is None:
        raise CallerError(f"{target} is in no git checkout, and a workflow belongs to one", hint="git init first")
    return checkout


def _workflow(ci: str, here: Checkout, target: Path, name: str, last: str, host: str, ledger: str | None) -> dict[Path, str]:
    file = target.absolute().parent.resolve().relative_to(here.root.resolve()) / target.name
    own = host == "ghcr.io" if ci == "github" else bool(host) and host == f"registry.{here.host}"
    local = host.startswith(LOOPBACK)
    job = Job(ci, file.as_posix(), name, here.branch, last, None if local or not host else host, ledger, own_registry=own)
    return {here.root / PLACES[ci]: workflow_text(job)}
