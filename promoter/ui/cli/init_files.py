"""The files that `promoter init` writes: the pipeline file and a CI platform's workflow."""

from collections.abc import Callable
from pathlib import Path

from promoter.adapters.git.checkout import Checkout, checkout_of
from promoter.model.errors import CallerError
from promoter.pipeline.scaffold.ci_workflow import WORKFLOW_FILES, Job, workflow_text
from promoter.pipeline.scaffold.importer import PipelineDraft
from promoter.pipeline.scaffold.writer import (
    ENVIRONMENTS,
    LOOPBACK,
    SHARED_LEDGER,
    ScaffoldOptions,
    default_registry,
    pipeline_text,
)
from promoter.ui.cli.console import complain
from promoter.ui.cli.init_questions import NONE, Answers, GivenOptions, Usual, answers, check_ci
from promoter.ui.cli.load_file import checked


class Beginning:
    """A new pipeline file at `target`. `take` reads the source; its argument is another name for the pipeline."""

    def __init__(self, target: Path, take: Callable[[str | None], PipelineDraft]) -> None:
        self._target, self._take = target, take
        self._checkout = checkout_of(target.absolute().parent)

    def texts(self, given: GivenOptions, *, ask: bool) -> dict[Path, str]:
        draft = self._take(None)
        usual = Usual(draft.name, lambda ci: self._registry(draft, ci), ENVIRONMENTS, self._platform())
        chosen = answers(given, usual, ask=ask)
        if chosen.name != draft.name:
            draft = self._take(chosen.name)
            if chosen.registry == self._registry(self._take(None), chosen.ci):
                chosen = Answers(chosen.name, self._registry(draft, chosen.ci), chosen.environments, chosen.approvers, chosen.ci)
        ci = chosen.ci != NONE
        options = ScaffoldOptions(chosen.registry, chosen.environments, chosen.approvers, SHARED_LEDGER if ci else None, on_ci=ci)
        texts = {self._target: pipeline_text(draft, options)}
        if ci:
            root = _root(self._checkout, self._target)
            host = (chosen.registry or "").partition("/")[0] if draft.built else ""
            texts |= _workflow(chosen.ci, root, self._target, draft.name, chosen.environments[-1], host, None)
        return texts

    def _registry(self, draft: PipelineDraft, ci: str) -> str | None:
        """Return the registry of the platform, if one is known."""
        if not draft.built:
            return None
        checkout = self._checkout
        if checkout is None or not checkout.path or ci == NONE:
            return default_registry(draft)
        return f"{'ghcr.io' if ci == 'github' else f'registry.{checkout.host}'}/{checkout.path.lower()}"

    def _platform(self) -> str:
        checkout = self._checkout
        if checkout is None:
            return NONE
        if (checkout.root / ".gitlab-ci.yml").exists() or "gitlab" in checkout.host:
            return "gitlab"
        return "github" if (checkout.root / ".github").exists() or "github" in checkout.host else NONE


def existing(target: Path, given: GivenOptions) -> dict[Path, str]:
    """Return only the workflow, for an existing pipeline file. Raise CallerError without `--ci`."""
    if given.ci is None or given.ci == NONE:
        raise CallerError(f"{target} exists already", hint="use --force to overwrite it, or -f FILE to write another file")
    options = {
        "--name": given.name,
        "--registry": given.registry,
        "--environments": given.environments,
        "--approvers": given.approvers,
    }
    for option, value in options.items():
        if value is not None:
            raise CallerError(f"{option} has no effect: {target} exists already", hint="use --force to overwrite it")
    try:
        ci = check_ci(given.ci)
    except ValueError as error:
        raise CallerError(f"--ci: {error}") from error
    pipeline = checked(target).pipeline
    root = _root(checkout_of(target.absolute().parent), target)
    ledger = None if pipeline.ledger else SHARED_LEDGER
    if pipeline.ledger and pipeline.ledger.startswith("sqlite:"):
        complain(
            f"promoter: the ledger {pipeline.ledger} is a file: on a temporary runner it is lost after each job, "
            "with all approvals and the record of what runs where\n"
            f"  use a ledger that all runners share: `ledger: {SHARED_LEDGER}`"
        )
    return _workflow(ci, root, target, pipeline.name, list(pipeline.needs)[-1], _pushed_to(target), ledger)


def _pushed_to(target: Path) -> str:
    from promoter.ui.cli.load_file import source_of

    wanted = checked(target).builds(source_of(target)).values()
    return next((built.repository.host for built in wanted if hasattr(built, "repository")), "")


def _root(checkout: Checkout | None, target: Path) -> Checkout:
    if checkout is None:
        raise CallerError(f"{target} is not in a git checkout, and a workflow needs one", hint="run `git init` first")
    return checkout


def _workflow(ci: str, checkout: Checkout, target: Path, name: str, last: str, host: str, ledger: str | None) -> dict[Path, str]:
    file = target.absolute().parent.resolve().relative_to(checkout.root.resolve()) / target.name
    own = host == "ghcr.io" if ci == "github" else bool(host) and host == f"registry.{checkout.host}"
    local = host.startswith(LOOPBACK)
    job = Job(ci, file.as_posix(), name, checkout.branch, last, None if local or not host else host, ledger, own_registry=own)
    return {checkout.root / WORKFLOW_FILES[ci]: workflow_text(job)}
