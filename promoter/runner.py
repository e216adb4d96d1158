"""Walks one plan over the ports: a fact after each step, and the earlier release back in its place when one fails.

It has one loop and one function per kind of step. What stands in the plan is done for every environment alike.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import assert_never

from promoter.carry.checks import Checker
from promoter.carry.failure import StepFailure, of_error
from promoter.carry.fenced import Fenced
from promoter.carry.fetching import fetch
from promoter.carry.jobs import once_name, sweep
from promoter.carry.providing import provide
from promoter.carry.putback import Returned, put_back
from promoter.carry.recreate import Recreate, Swapped
from promoter.carry.site import Site
from promoter.gates.checks import say_dry_run
from promoter.job import Job
from promoter.journal import Journal
from promoter.lease import Hold
from promoter.model import events
from promoter.model.errors import Interrupted, LeaseLost, PromoterError
from promoter.model.facts import Kind
from promoter.model.naming import Role, role_of
from promoter.model.steps import Before, Pull, Replace, Retire, Step, Verify
from promoter.model.verdict import ReasonCode
from promoter.past import images_of_the_past
from promoter.pipeline import OnFailure
from promoter.ports import Engine, World
from promoter.results import EnvironmentResult, Status

PARALLEL = 8


class Runner:
    """Carries out the steps of one plan on its engine, under a lease."""

    def __init__(self, world: World, journal: Journal, listener: events.Listener, job: Job, hold: Hold) -> None:
        self._world, self._journal, self._tell, self._job, self._hold = world, journal, listener, job, hold
        self._engine: Engine = Fenced(world.engine(job.plan.environment.engines[0]), hold.check)
        self._recreate = Recreate(self._engine, world.clock, world.patient, world.secrets, world.probes)
        self._checker = Checker(world)
        self._swapped: dict[str, list[Swapped]] = {}
        self._touched: list[str] = []
        self._acted = job.resumed
        """Whether anything was done in the environment; of a try that was cut off nobody knows."""
        self._begun = world.clock.monotonic()

    def carry_out(self) -> EnvironmentResult:
        """The plan done and recorded, or the failure answered and recorded. Raises LeaseLost or EngineLost and nothing else."""
        try:
            self._prepare()
            for steps in _groups(self._job.plan.steps):
                self._together(steps)
            return self._promoted()
        except StepFailure as failure:
            return self._answer(failure, interrupted=False)
        except Interrupted:
            return self._answer(StepFailure(ReasonCode.INTERRUPTED, ("the run was interrupted",)), interrupted=True)
        except LeaseLost:
            raise
        except PromoterError as error:
            return self._answer(of_error(error, ReasonCode.START_FAILED), interrupted=False)

    # ------------------------------------------------------------ steps
    def _prepare(self) -> None:
        self._guard()
        before = {step.id: once_name(self._job.place, step.place) for step in self._job.plan.steps if isinstance(step, Before)}
        self._sweep({name for step, name in before.items() if self._job.resumed and step not in self._job.done})
        provide(self._engine, self._job.plan.environment, self._job.place)

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
        name, begun = self._job.plan.environment.name, self._world.clock.monotonic()
        self._tell(events.StepStarted(name, step.title))
        already = isinstance(step, Before) and step.id in self._job.done
        try:
            detail = {} if already else self._do(step)
        except PromoterError as error:
            if isinstance(error, (Interrupted, LeaseLost)):
                raise
            failure = of_error(error, ReasonCode.START_FAILED)
            self._tell(events.StepFailed(name, step.title, failure.code, failure.reasons))
            raise failure from error
        except StepFailure as failure:
            self._tell(events.StepFailed(name, step.title, failure.code, failure.reasons))
            raise
        if not already:
            self._record(Kind.STEP_DONE, {"promotion": self._job.promotion, "step": step.id, "detail": detail})
        self._tell(
            events.StepDone(name, step.title, self._world.clock.monotonic() - begun, already or detail.get("already") is True)
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
        moved = fetch(self._engine, self._world.registry, made_as, step.image, platform, self._layers(step.service))
        return {"already": not moved}

    def _check(self, place: int, *, before: bool) -> dict[str, object]:
        self._acted = True
        environment = self._job.plan.environment
        check = (environment.before if before else environment.verify)[place]
        once = once_name(self._job.place, place) if before else None
        result = self._checker.look(check, replace(self.site(), fresh=not before, once=once))
        if check.dry_run:
            self._tell(events.StepNote(environment.name, check.title(), say_dry_run(result)))
            return {"sentence": say_dry_run(result), "output": result.seen[-2000:], "dry_run": True, "passed": result.passed}
        if not result.passed:
            code = ReasonCode.CHECK_TIMEOUT if result.timed_out else ReasonCode.CHECK_FAILED
            raise StepFailure(code if before else ReasonCode.VERIFY_FAILED, (result.sentence,))
        return {"sentence": result.sentence, "output": result.seen[-2000:]}

    def _replace(self, step: Replace) -> dict[str, object]:
        self._acted = True
        self._touched.append(step.service)
        done = self._swapped.setdefault(step.service, [])
        for slot in self._job.slots(step.service):
            self._guard()
            done.append(swapped := self._recreate.swap(self._job.order(step.service), slot))
            for note in (f"{slot.name} {swapped.health}", *([swapped.late] if swapped.late else [])):
                self._tell(events.StepNote(self._job.plan.environment.name, step.title, note))
        return {
            "containers": [s.container for s in done],
            "health": [s.health for s in done],
            "gap_ms": _milliseconds(_gap(done)),
        }

    def _retire(self) -> dict[str, object]:
        """Only the live and the previous containers stay; a service that the file no longer has goes altogether."""
        kept = {name for service in self._swapped for slot in self._job.slots(service) for name in (slot.name, slot.previous)}
        self._sweep()
        gone = []
        for container in self._engine.find(self._job.place.labels):
            if container.name not in kept and role_of(container.labels) != Role.JOB:
                self._engine.remove(container.id)
                gone.append(container.name)
        past = images_of_the_past(self._journal.state, self._job.plan, self._job.previous)
        images = [str(image) for image in past if self._engine.remove_image(image)]
        return {"removed": sorted(gone), "images": images}

    # ------------------------------------------------------------ endings
    def _promoted(self) -> EnvironmentResult:
        gap = _gap([s for swaps in self._swapped.values() for s in swaps])
        took = self._world.clock.monotonic() - self._begun
        identity = self._engine.identify()
        body = {
            **self._named(),
            "services": {name: _running(swaps) for name, swaps in self._swapped.items()},
            "gap_ms": _milliseconds(gap),
            "duration_ms": _milliseconds(took),
            "from": self._job.previous,
            "mend": self._job.mend,
            "engine": {"fingerprint": identity.fingerprint, "name": identity.name, "version": identity.version},
            **self._job.extra,
        }
        self._record(Kind.PROMOTED, body)
        return self._result(Status.DEPLOYED, ReasonCode.OK, (), gap)

    def _answer(self, failure: StepFailure, *, interrupted: bool) -> EnvironmentResult:
        """Puts back what was touched, unless the file or a mended deployment says to leave it, and records how it ended."""
        leave = self._job.mend or (self._job.plan.environment.on_failure is OnFailure.STOP and not interrupted)
        returned = Returned(touched=bool(self._touched), left=leave)
        if self._touched and not leave:
            self._hold.check()
            returned = put_back(self._recreate, self._job.order, self._job.slots, self._touched, self._restoring)
        reasons = (*failure.reasons, *returned.sentences(self._job.plan.environment.name, self._job.previous))
        evidence = [e.document() for e in (*failure.evidence, *returned.evidence)]
        body: dict[str, object] = {
            **self._named(),
            "reason_code": str(failure.code),
            "reasons": list(reasons),
            "evidence": evidence,
            "touched": self._acted,
        }
        if returned.restored and self._job.previous is not None:
            services = {name: _running_containers(found) for name, found in returned.services.items()}
            self._record(Kind.ROLLED_BACK, {**body, "to": self._job.previous, "services": services})
            status = Status.ROLLED_BACK
        else:
            self._record(Kind.FAILED, {**body, "left": returned.touched and returned.left})
            status = Status.FAILED
        with suppress(PromoterError):  # the next run does it; how this one ended is recorded already
            self._sweep()
        gap = returned.gap if returned.touched else None
        return self._result(Status.INTERRUPTED if interrupted else status, failure.code, reasons, gap, {"evidence": evidence})

    def _result(
        self,
        status: Status,
        code: ReasonCode,
        reasons: tuple[str, ...],
        gap: float | None,
        details: Mapping[str, object] | None = None,
    ) -> EnvironmentResult:
        took = _milliseconds(self._world.clock.monotonic() - self._begun)
        plan = self._job.plan
        return EnvironmentResult(
            plan.environment.name,
            status,
            code,
            reasons,
            plan.digest,
            self._job.previous,
            _milliseconds(gap) or 0,
            took,
            details or {},
        )

    # ------------------------------------------------------------ small things
    def site(self) -> Site:
        job = self._job
        services = job.plan.environment.services
        return Site(job.place, job.plan.release, job.plan.images, job.promotion, services, job.files, job.directory, self._engine)

    def _sweep(self, keep: Collection[str] = ()) -> None:
        sweep(self._engine, self._job.place, self._world.gone, leased=True, keep=keep)

    def _guard(self) -> None:
        self._world.clock.check()
        self._hold.check()

    def _named(self) -> dict[str, object]:
        return {"plan_digest": self._job.plan.digest, "promotion": self._job.promotion}

    def _record(self, kind: Kind, body: Mapping[str, object]) -> None:
        """Whoever lost the lease records nothing more: others have written on since."""
        plan = self._job.plan
        self._journal.record(kind, plan.environment.name, plan.release.id, body, lambda _: self._hold.check())

    def _restoring(self, service: str) -> None:
        self._tell(events.Restoring(self._job.plan.environment.name, service))

    def _layers(self, service: str) -> Callable[[str, str, int | None, int | None], None]:
        return lambda layer, status, current, total: self._tell(
            events.LayerProgress(service, "pull", layer, status, current, total)
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
    """Waits for all; raises the gravest of what they raised: a lost lease, then an interruption, then a failure."""
    pending: set[Future[None]] = set(futures)
    while pending:
        _, pending = wait(pending, return_when=FIRST_COMPLETED)
    errors = [error for future in futures if (error := future.exception()) is not None]
    for kind in (LeaseLost, Interrupted, BaseException):
        for error in errors:
            if isinstance(error, kind):
                raise error


def _gap(swaps: list[Swapped]) -> float | None:
    gaps = [s.gap for s in swaps if s.gap is not None]
    return max(gaps) if gaps else None


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _running(swaps: list[Swapped]) -> dict[str, object]:
    return {"digest": str(swaps[0].digest) if swaps else None, "containers": [s.container for s in swaps]}


def _running_containers(found: list[tuple[str, str]]) -> dict[str, object]:
    return {"digest": found[0][1] if found else None, "containers": [container for container, _ in found]}
