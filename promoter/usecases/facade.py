"""What one can ask for: run, build, promote, plan, rollback, and a vote. The only door for the command line and pages.

Looking back (status, history, show, diff, logs) is `queries.py`'s; this door hands it on.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from promoter.ledger.lease import TIME_TO_LIVE
from promoter.ledger.ledger import Ledger
from promoter.model.errors import EngineError, PromoterError
from promoter.model.release import Release, Source
from promoter.model.verdict import ReasonCode
from promoter.pipeline.compose.image_volumes import unnamed_volumes
from promoter.pipeline.loader_port import Loaded
from promoter.pipeline.model import NO_RELEASE
from promoter.promotion import progress
from promoter.promotion.admission.controller import PromotionOptions
from promoter.promotion.build import Made, build_secrets, make_release, registries
from promoter.promotion.plan import Plan, changes, secret_names
from promoter.promotion.promote import EnvironmentPromotion
from promoter.promotion.reconnect import identified
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.promotion.scheduler import Scheduler, upto
from promoter.usecases.deployment_records import Recording
from promoter.usecases.dispatch import Dispatching
from promoter.usecases.explain import Explaining
from promoter.usecases.history import Queries
from promoter.usecases.holds import Stops
from promoter.usecases.import_reviews import Reviewing
from promoter.usecases.override import Emergency
from promoter.usecases.ports.bundle import UseCasePorts
from promoter.usecases.rollback import Rollbacks


class Promoter(Rollbacks, Queries, Emergency, Reviewing, Dispatching, Recording, Stops, Explaining):
    """One pipeline, its ledger, and the world. `interrupt` may be called from a signal handler."""

    def __init__(
        self,
        loaded: Loaded,
        world: UseCasePorts,
        journal: Ledger,
        tell: progress.Listener,
        *,
        owner: str,
        actor: str,
        interrupt: Callable[[], None],
        accept_engine: tuple[str, ...] = (),
        accept_ledger: tuple[str, ...] = (),
        key: str | None = None,
        git_key: Callable[[], str | None] = lambda: None,
        policy_ref: str | None = None,
        lease_ttl: timedelta = TIME_TO_LIVE,
        run: str | None = None,
        deployments: bool = False,
    ) -> None:
        self.loaded, self.world, self.journal, self.tell = loaded, world, journal, tell
        self.owner, self.actor, self.interrupt, self.accept_engine = owner, actor, interrupt, accept_engine
        self.lease_ttl, self.accept_ledger = lease_ttl, accept_ledger
        self.key, self.git_key, self.policy_ref = key, git_key, policy_ref
        self.ci_run, self.deployments = run, deployments
        self.pipeline = loaded.pipeline
        self.name = loaded.pipeline.name

    # ------------------------------------------------------------ doing
    def run(self, to: str | None, wait: timedelta | None, wait_lock: timedelta | None = None) -> RunResult:
        """Build, push, and promote as far as the gates allow."""
        targets = self._targets(to)
        source = self.world.source.source(self.pipeline.directory)
        self._preflight(targets, source, None)
        made = self._make(source)
        return self.recorded(self._walk(made.release, targets, self._terms(wait, wait_lock=wait_lock)))

    def build(self) -> RunResult:
        """Build and push only. The release is recorded and enters nothing."""
        source = self.world.source.source(self.pipeline.directory)
        self._preflight((), source, None)
        made = self._make(source)
        return RunResult(self.name, made.release, ())

    def promote(
        self, release: str | None, to: str | None, wait: timedelta | None, wait_lock: timedelta | None = None
    ) -> RunResult:
        """Carry an existing release on; this is how a waiting run resumes."""
        targets = self._targets(to)
        chosen = self.find_release(release)
        self._preflight(targets, chosen.source, chosen)
        terms = self._terms(wait, pass_older=True, wait_lock=wait_lock)
        return self.recorded(self._walk(chosen, targets, terms, explicit=to))

    def plan(self, release: str | None, to: str | None) -> RunResult:
        """What `promote` would do. Changes nothing and looks at no gate that would need a look at the world."""
        self.journal.glance()
        targets = self._targets(to)
        chosen = self.find_release(release)
        results = tuple(self._planned(self._entering(name, self._terms()), chosen) for name in targets)
        return RunResult(self.name, chosen, results)

    # ------------------------------------------------------------ parts
    def _terms(self, wait: timedelta | None = None, **more: Any) -> PromotionOptions:
        return PromotionOptions(
            self.owner, self.actor, wait, lease_ttl=self.lease_ttl, accept_engine=self.accept_engine, policy_ref=self.policy_ref,
            accept_ledger=self.accept_ledger, run=self.ci_run, **more,
        )  # fmt: skip

    def _walk(
        self, release: Release, targets: tuple[str, ...], terms: PromotionOptions, explicit: str | None = None
    ) -> RunResult:
        def enter(name: str) -> EnvironmentPromotion:
            asked_for = name == explicit
            return self._entering(name, terms if not asked_for else replace(terms, pass_older=False, explicit=True))

        walk = Scheduler(self.pipeline.needs, targets, enter, self.tell)
        return RunResult(self.name, release, walk.go(release))

    def _entering(self, name: str, terms: PromotionOptions) -> EnvironmentPromotion:
        return EnvironmentPromotion(self.loaded, self.world, self.journal, self.tell, name, terms)

    def _planned(self, entering: EnvironmentPromotion, release: Release) -> EnvironmentResult:
        plan = entering.judge.plan(release)
        current = self.journal.state.environment(entering.name).current
        admission = entering.judge.evaluate(plan, look=False)
        unchanged = current is not None and (current.release, current.plan_digest) == (release.id, plan.digest)
        document = plan.document()
        before = self.journal.plan_document(entering.name, current.plan_digest) if current else None
        details = {
            "from": current.release if current else None,
            "to": release.id,
            "steps": [{"id": step.id, "kind": type(step).__name__.lower(), "title": step.title} for step in plan.steps],
            "gates": admission.documents(),
            "changes": [change.document() for change in changes(before, document)],
            "unnamed_volumes": self._unnamed_volumes(plan),
        }
        shut = [one.verdict for one in admission.results if one.verdict.code is not ReasonCode.OK]
        status = Status.UNCHANGED if unchanged else Status.PENDING
        code = ReasonCode.NOTHING_TO_DO if unchanged else (shut[0].code if shut else ReasonCode.OK)
        reasons = tuple(verdict.sentence for verdict in shut)
        previous = current.release if current else None
        return EnvironmentResult(entering.name, status, code, reasons, plan.digest, previous, details=details)

    def _unnamed_volumes(self, plan: Plan) -> dict[str, list[str]]:
        """Paths in which images keep data under no name, by service; of images that the engine does not have nothing is known."""
        found: dict[str, list[str]] = {}
        with suppress(EngineError):
            engine = self.world.engine(plan.environment.engines[0])
            for name, service in plan.environment.services.items():
                if paths := unnamed_volumes(engine.image_volumes(plan.images[name]), service):
                    found[name] = list(paths)
        return found

    def _make(self, source: Source) -> Made:
        engine = self.world.engine(None)
        made = make_release(self.world, engine, self.loaded.builds(source), source, self.pipeline.directory, self.name, self.tell)
        known = self.record_release(made)
        self.tell(progress.ReleaseMade(made.release, known))
        return made

    def _preflight(self, targets: Iterable[str], source: Source, release: Release | None) -> None:
        """The file is whole, and every engine, registry and secret that this run may reach can be had.

        Nothing is done before that is sure. Without a release one is to be built: then the local engine and the
        registries of the builds are asked too.
        """
        self.loaded.check()
        environments = [self.loaded.resolve(name, source, release.id if release else NO_RELEASE) for name in targets]
        addresses = {environment.engines[0] for environment in environments}
        secrets = {name for environment in environments for name in secret_names(environment)}
        if release is None:
            wanted = self.loaded.builds(source)
            addresses.add(None)
            hosts = registries(wanted)
            secrets |= build_secrets(wanted)
        else:
            hosts = {image.repository.host for image in release.images.values()} if environments else set()
        hosts |= {repository.host for environment in environments for repository in environment.elsewhere.values()}
        self._answer(addresses, hosts, secrets)

    def _reachable(self, plans: Iterable[Plan]) -> None:
        """Engines and registries of recorded plans answer. Their secrets are needed only where a container is created anew."""
        plans = tuple(plans)
        addresses = {plan.environment.engines[0] for plan in plans}
        self.loaded.check()
        self._answer(addresses, {image.repository.host for plan in plans for image in plan.images.values()}, set())

    def _answer(self, addresses: set[str | None], hosts: set[str], secrets: set[str]) -> None:
        """Raises one error with all that cannot be had."""
        calls: list[Callable[[], object]] = [partial(self.world.secrets.prove, sorted(secrets))] if secrets else []
        calls += [partial(_identify, self.world, address) for address in sorted(addresses, key=str)]
        calls += [partial(self.world.registry.ping, host) for host in sorted(hosts)]
        with ThreadPoolExecutor(8) as pool:
            outcomes = [pool.submit(call) for call in calls]
        errors = [error for outcome in outcomes if (error := outcome.exception()) is not None]
        if errors:
            raise _together(errors)

    def _targets(self, to: str | None) -> tuple[str, ...]:
        if to is not None:
            self._known(to)
        return upto(self.pipeline.needs, to)


def _identify(world: UseCasePorts, address: str | None) -> None:
    identified(world.engine(address), world.clock)


def _together(errors: list[BaseException]) -> BaseException:
    """One error that says everything that is missing, so that it is mended in one go."""
    known = [error for error in errors if isinstance(error, PromoterError)]
    if len(known) < 2 or len(known) < len(errors):
        return errors[0]
    said = "\n".join(error.message for error in known)
    hints = "\n".join(dict.fromkeys(error.hint for error in known if error.hint))
    return type(known[0])(said, hint=hints or None)
