"""Walks one plan over the ports: a fact after each step, and the earlier release back in its place when one fails.

It has one loop and one function per kind of step. Every environment is handled alike.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import groupby
from typing import assert_never

from promoter.gates.checks import ContainerCheck, say_dry_run
from promoter.ledger.facts import StepDone
from promoter.ledger.lease import HeldLease
from promoter.ledger.ledger import Ledger
from promoter.model.errors import EngineLost, Interrupted, LeaseLost, PromoterError
from promoter.model.labels import Role, Slot, once_name, role_of
from promoter.model.ownership import owner_labels
from promoter.model.verdict import ReasonCode
from promoter.promotion import progress
from promoter.promotion.checks.jobs import sweep
from promoter.promotion.checks.runner import Checker
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.comeback import stays
from promoter.promotion.execution.completion import Ending
from promoter.promotion.execution.failure import StepFailure, of_error
from promoter.promotion.execution.fencing import FencedEngine
from promoter.promotion.execution.image_pull import fetch
from promoter.promotion.execution.job import Execution
from promoter.promotion.execution.ownership import refuse_foreign
from promoter.promotion.execution.provisioning import provide
from promoter.promotion.execution.retention import images_of_the_past
from promoter.promotion.execution.strategies.recreate import Recreate
from promoter.promotion.plan import needed_secrets
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.results import EnvironmentResult
from promoter.promotion.steps import Before, Proof, Pull, Replace, Retire, Step, Verify

PARALLEL = 8


class Runner:
    """Carries out the steps of one plan on its engine, under a lease."""

    def __init__(self, ports: Ports, ledger: Ledger, listener: progress.Listener, job: Execution, hold: HeldLease) -> None:
        self._ports, self._ledger, self._emit, self._job, self._hold = ports, ledger, listener, job, hold
        self._engine = FencedEngine(ports.engine(job.plan.environment.engines[0]), hold.check)
        begun = job.begun or ports.clock.now()
        self._recreate = Recreate(self._engine, ports.clock, ports.secrets, ports.probes, begun)
        self._checker = Checker(ports)
        self._ending = Ending(ports, ledger, listener, job, hold, self._engine, self._recreate)
        self._swapped: dict[str, list[Swapped]] = {}
        self._touched: list[str] = []
        self._acted = job.resumed
        """Whether anything was done in the environment; of a try that was cut off nobody knows."""

    def carry_out(self) -> EnvironmentResult:
        """The plan done and recorded, or the failure answered and recorded. Raises LeaseLost or EngineLost and nothing else."""
        try:
            self._prepare()
            for steps in _groups(self._job.plan.steps):
                self._together(steps)
            return self._ending.promoted(self._looked_at_again(), self._engine.alive())
        except StepFailure as failure:
            return self._answer(failure, interrupted=False)
        except Interrupted:
            return self._answer(StepFailure(ReasonCode.INTERRUPTED, ("the run was interrupted",)), interrupted=True)
        except LeaseLost:
            raise
        except PromoterError as error:
            return self._answer(of_error(error, ReasonCode.START_FAILED), interrupted=False)

    def _answer(self, failure: StepFailure, *, interrupted: bool) -> EnvironmentResult:
        return self._ending.failed(failure, self._touched, acted=self._acted, interrupted=interrupted)

    # ------------------------------------------------------------ steps
    def _prepare(self) -> None:
        """Nothing is touched before it is sure that every name is ours, and that every secret can be had."""
        self._guard()
        job = self._job
        names = {
            name: owner_labels(job.place, service)
            for service in job.plan.environment.services
            for slot in job.slots(service)
            for name in slot.names
        }
        before = {step.id: once_name(job.place, step.place) for step in job.plan.steps if isinstance(step, Before)}
        names |= dict.fromkeys(before.values(), owner_labels(job.place))
        refusal = refuse_foreign(names, self._engine.labels_by_name())
        if refusal is not None:
            raise refusal
        self._prove_secrets()
        self._sweep({name for step, name in before.items() if job.resumed and step not in job.done})
        provide(self._engine, job.plan.environment, job.place)

    def _prove_secrets(self) -> None:
        """A recorded plan needs its secrets only for what must be created anew, and then with the recorded values."""
        plan = self._job.plan
        if plan.recorded is None:
            return
        kept = {container.id for container in self._engine.find(self._job.place.labels)}
        anew = [
            service
            for service, known in self._job.reuse.items()
            if len(kept & (known.live | known.earlier)) < len(self._job.slots(service))
        ]
        names = needed_secrets(plan.environment, anew)
        self._ports.secrets.prove(names)
        salt = self._ledger.state.salt or ""
        changed = [name for name in names if self._ports.secrets.keyed_hash(name, salt) != plan.secrets.get(name)]
        if changed:
            reason = f"secret {', '.join(changed)} has changed since release {plan.release.short_id} was promoted with it"
            raise StepFailure(ReasonCode.START_FAILED, (reason, "promote the release again: the gates then see the new secret"))

    def _together(self, steps: tuple[Step, ...]) -> None:
        """Independent steps side by side. The first failure wins, once all that had begun have ended."""
        if len(steps) == 1:
            self._step(steps[0])
            return
        with ThreadPoolExecutor(min(PARALLEL, len(steps))) as pool:
            futures = [pool.submit(self._step, step) for step in steps]
            _first_failure(futures)

    def _step(self, step: Step) -> None:
        self._guard()
        name, begun = self._job.plan.environment.name, self._ports.clock.monotonic()
        self._emit(progress.StepStarted(name, step.title))
        already = isinstance(step, Before) and step.id in self._job.done
        try:
            detail = {} if already else self._do(step)
        except PromoterError as error:
            if isinstance(error, (Interrupted, LeaseLost)):
                raise
            failure = of_error(error, ReasonCode.START_FAILED)
            self._emit(progress.StepFailed(name, step.title, failure.code, failure.reasons))
            raise failure from error
        except StepFailure as failure:
            self._emit(progress.StepFailed(name, step.title, failure.code, failure.reasons))
            raise
        if not already:
            self._ending.append(StepDone(promotion=self._job.promotion, step=step.id, detail=detail))
        self._emit(
            progress.StepDone(name, step.title, self._ports.clock.monotonic() - begun, already or detail.get("already") is True)
        )

    def _do(self, step: Step) -> dict[str, object]:
        match step:
            case Pull():
                return self._pull(step)
            case Before():
                return self._check(step.place, before=True)
            case Replace():
                return self._replace(step)
            case Verify():
                return self._check(step.place, before=False)
            case Retire():
                return self._retire()
        assert_never(step)

    def _pull(self, step: Pull) -> dict[str, object]:
        made_as = self._job.plan.release.images[step.service]
        platform = self._job.plan.environment.services[step.service].platform
        moved = fetch(self._engine, self._ports.registry, made_as, step.image, platform, self._layers(step.service))
        return {"already": not moved}

    def _check(self, place: int, *, before: bool) -> dict[str, object]:
        self._acted = True
        environment = self._job.plan.environment
        check = (environment.before if before else environment.verify)[place]
        once = once_name(self._job.place, place) if before else None
        result = self._checker.run(check, replace(self._job.site(self._engine), fresh=not before, once=once))
        if check.dry_run:
            self._emit(progress.StepNote(environment.name, check.title(), say_dry_run(result)))
            return {"sentence": say_dry_run(result), "output": result.seen[-2000:], "dry_run": True, "passed": result.passed}
        if not result.passed:
            code = ReasonCode.CHECK_TIMEOUT if result.timed_out else ReasonCode.CHECK_FAILED
            hint = self._nothing_runs_yet() if before and isinstance(check, ContainerCheck) else ()
            raise StepFailure(code if before else ReasonCode.VERIFY_FAILED, (result.sentence, *hint))
        return {"sentence": result.sentence, "output": result.seen[-2000:]}

    def _nothing_runs_yet(self) -> tuple[str, ...]:
        """A job of a first promotion that needs another service finds it only where its own service depends on it."""
        if self._job.earlier is not None or len(self._swapped) == len(self._job.plan.environment.services):
            return ()
        name = self._job.plan.environment.name
        hint = "a service that this job needs is started first when the job's service names it under `depends_on`"
        return (f"nothing ran in {name} before: {hint}",)

    def _replace(self, step: Replace) -> dict[str, object]:
        service = step.service
        done = self._swapped.setdefault(service, [])
        order, restart = self._job.order(service), self._restarts(service)
        if self._shares_with_replaced(service):
            order = replace(order, live=frozenset(), earlier=frozenset())
        for slot in self._job.slots(service):
            self._guard()
            swapped = self._recreate.swap(order, slot, restart=restart, touch=lambda: self._touch(service))
            done.append(swapped)
            kept = "unchanged, " if swapped.kept else ""
            for note in (f"{slot.name} {kept}{swapped.health}", *([swapped.late] if swapped.late else [])):
                self._emit(progress.StepNote(self._job.plan.environment.name, step.title, note))
        return {
            "already": all(s.kept for s in done),
            "containers": [s.container for s in done],
            "health": [s.health for s in done],
            "gap_ms": max((round(s.gap * 1000) for s in done if s.gap is not None), default=None),
        }

    def _touch(self, service: str) -> None:
        self._acted = True
        if service not in self._touched:
            self._touched.append(service)

    def _restarts(self, service: str) -> bool:
        """Whether one that it depends on was changed, and asks for its restart."""
        config = self._job.plan.environment.services[service]
        return not config.protected and any(d.restart and name in self._touched for name, d in config.depends_on.items())

    def _shares_with_replaced(self, service: str) -> bool:
        """A namespace of another container ends with it."""
        config = self._job.plan.environment.services[service]
        shared = {config.network_mode, config.pid, config.ipc}
        return any(f"container:{slot.name}" in shared for other in self._touched for slot in self._job.slots(other))

    def _retire(self) -> dict[str, object]:
        """Only the live and the previous containers stay; a service that the file no longer has goes altogether.

        Anonymous volumes stay: they may hold data, and only a person can tell.
        """
        kept = {name for service in self._swapped for slot in self._job.slots(service) for name in (slot.name, slot.previous)}
        self._sweep()
        found = [c for c in self._engine.find(self._job.place.labels) if role_of(c.labels) != Role.JOB]
        gone = [container for container in found if container.name not in kept]
        used = {volume for container in found if container not in gone for volume in container.anonymous.values()}
        for container in gone:
            self._engine.remove(container.id)
        left = sorted({volume for container in gone for volume in container.anonymous.values()} - used)
        if left:
            name = self._job.plan.environment.name
            says = f"{name}: volumes of removed containers were kept, `docker volume rm` removes them: {', '.join(left)}"
            self._emit(progress.Notice(says))
        past = images_of_the_past(self._ledger.state, self._job.plan, self._job.previous)
        images = [str(image) for image in past if self._engine.remove_image(image)]
        return {"removed": sorted(c.name for c in gone), "images": images, "volumes": left}

    def _looked_at_again(self) -> dict[str, list[Swapped]]:
        """Every service once more before anything is called deployed: one may have ended since it was proven."""
        job, found = self._job, {c.id: c for c in self._engine.find(self._job.place.labels)}

        def again(service: str, slot: Slot, before: Swapped) -> Swapped:
            order, seen = job.order(service), found.get(before.container)
            if order.proof is Proof.COMPLETED or (seen is not None and seen.running and before.kept):
                return before
            if not before.kept and stays(seen, before, self._engine, self._ports.secrets):
                return before
            return self._recreate.prove(order, slot)

        return {
            service: [again(service, slot, done) for slot, done in zip(job.slots(service), self._swapped[service], strict=True)]
            for service in job.in_order
        }

    # ------------------------------------------------------------ small things
    def _sweep(self, keep: Collection[str] = ()) -> None:
        sweep(self._engine, self._job.place, self._ports.gone, leased=True, keep=keep)

    def _guard(self) -> None:
        self._ports.clock.check()
        self._hold.check()

    def _layers(self, service: str) -> Callable[[str, str, int | None, int | None], None]:
        return lambda layer, status, current, total: self._emit(
            progress.LayerProgress(service, "pull", layer, status, current, total)
        )


def _groups(steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """Steps that may go side by side: all pulls, and the replacements of one wave."""

    def key(numbered: tuple[int, Step]) -> tuple[str, int]:
        number, step = numbered
        match step:
            case Pull():
                return "pull", 0
            case Replace():
                return "replace", step.wave
            case Before() | Verify() | Retire():
                return "alone", number

    for _, group in groupby(enumerate(steps), key):
        yield tuple(step for _, step in group)


def _first_failure(futures: "list[Future[None]]") -> None:
    """Waits for all; raises the gravest of what they raised: a lost lease, an interruption, a lost engine, a failure."""
    pending: set[Future[None]] = set(futures)
    while pending:
        _, pending = wait(pending, return_when=FIRST_COMPLETED)
    errors = [error for future in futures if (error := future.exception()) is not None]
    for kind in (LeaseLost, Interrupted, EngineLost, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error
