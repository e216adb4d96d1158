"""Wait until a service of a swarm has converged: every task that the swarm wants runs, with the configuration of the promotion.

A task with a healthcheck counts as running only when it is healthy. An update that the swarm paused or rolled back is a
failure, also if its tasks run.
"""

from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta

from promoter.model.clock import Clock
from promoter.model.dataclass import dataclass
from promoter.model.duration import format_duration
from promoter.model.verdict import ReasonCode
from promoter.promotion.container_spec import Swapped
from promoter.promotion.execution.failure import LOG_LINES, Evidence, StepFailure
from promoter.promotion.ports.cluster import Cluster, ClusterService, Task
from promoter.promotion.ports.container import ContainerSpec
from promoter.promotion.ports.secrets import Secrets

POLL = 0.2
"""Seconds between two looks at a service."""
TRIES = 3
"""How many tasks of one replica may fail before the service counts as failed, if the swarm itself does not say so."""
_BAD = ("paused", "rollback_started", "rollback_paused", "rollback_completed")
_BEFORE_RUNNING = ("new", "pending", "assigned", "accepted", "preparing", "ready", "starting")
_SHOWN = 3
"""The number of failed tasks whose log is shown."""


@dataclass(frozen=True)
class Convergence:
    """Waits for services of one swarm, each at most `timeout`."""

    cluster: Cluster
    clock: Clock
    secrets: Secrets
    timeout: timedelta

    def wait(self, name: str, steady: timedelta, note: Callable[[str], None] = lambda _: None) -> str:
        """Return the sentence that describes the converged service. `note` gets each new reason why it has not.

        A service without an update must run for `steady`; an update is watched by the swarm itself (`monitor`). Raise
        StepFailure with the reason of each failing task.
        """
        ends = self.clock.monotonic() + self.timeout.total_seconds()
        since: float | None = None
        resumed = frozenset[str]()
        reported, before = set[str](), frozenset(task.id for task in self._service(name).tasks)
        while True:
            seen = self._service(name)
            self._require_no_failure(seen, before)
            if not is_converged(seen):
                since = None
            else:
                since = self.clock.monotonic() if since is None else since
                if seen.update == "completed" or self.clock.monotonic() - since >= steady.total_seconds():
                    return f"{seen.running} of {seen.wanted} tasks run"
            for sentence in _new(seen, reported):
                note(sentence)
            stuck = stuck_tasks(seen) - resumed
            if stuck:
                resumed |= stuck
                note("the swarm waits for a task on a lost node: its update begins again")
                self.cluster.again(name)
            if self.clock.monotonic() >= ends:
                what = f"{name} has not converged within {format_duration(self.timeout)}: {describe(seen)}"
                raise self._failure(seen, _code(seen), what)
            self.clock.sleep(POLL)

    def prove(self, spec: ContainerSpec, steady: timedelta, note: Callable[[str], None] = lambda _: None) -> Swapped:
        """Wait as `wait` does, and read the digest of the service back. Raise StepFailure, also for another digest."""
        health = self.wait(spec.name, steady, note)
        seen = self.cluster.inspect(spec.name)
        digest = None if seen is None else self.cluster.digest_of(seen.id, spec.image.repository, spec.image.digest)
        if seen is None or digest != spec.image.digest:
            reason = f"{spec.name} runs {digest or 'no image with a digest'}, expected {spec.image.digest}"
            raise StepFailure(ReasonCode.DIGEST_MISMATCH, (reason, "it was changed outside promoter meanwhile"))
        return Swapped(seen.id, digest, health, None)

    def _service(self, name: str) -> ClusterService:
        seen = self.cluster.service(name)
        if seen is None:
            raise StepFailure(ReasonCode.START_FAILED, (f"service {name} is gone: it was removed from outside",))
        return seen

    def _require_no_failure(self, seen: ClusterService, before: frozenset[str]) -> None:
        if seen.update in _BAD:
            word = "paused the update of" if seen.update == "paused" else "rolled back"
            message = f": {seen.message}" if seen.message else ""
            raise self._failure(seen, ReasonCode.UPDATE_PAUSED, f"the swarm {word} {seen.name}{message}")
        failed = repeatedly_failed(seen, before)
        if failed is not None and not seen.update:
            raise self._failure(seen, ReasonCode.START_FAILED, f"{seen.name} does not stay up: {failed.sentence}")

    def _failure(self, seen: ClusterService, code: ReasonCode, what: str) -> StepFailure:
        """Return the failure, with the reason of each failing task and the logs of the newest."""
        failing = failing_tasks(seen)
        evidence = tuple(self._evidence(task) for task in failing[-_SHOWN:])
        sentences = dict.fromkeys(task.sentence for task in failing)
        return StepFailure(code, (what, *(text for text in sentences if text not in what)), evidence)

    def _evidence(self, task: Task) -> Evidence:
        log = self.secrets.redact(self.cluster.task_logs(task.id, LOG_LINES)).splitlines()
        name = f"{task.name} on {task.node}" if task.node else task.name
        return Evidence(name, task.state, task.exit_code, oom_killed=False, log=tuple(log[-LOG_LINES:]))


def is_converged(seen: ClusterService) -> bool:
    """Return whether every wanted task runs with the present configuration."""
    if seen.update not in ("", "completed") or seen.running < seen.wanted:
        return False
    current = [task for task in seen.tasks if task.wanted and task.promotion == seen.template]
    running = [task for task in current if task.state == "running"]
    return len(running) >= seen.wanted and _has_tasks(seen)


def _has_tasks(seen: ClusterService) -> bool:
    """Return whether the swarm has made the tasks: a new service has none for a moment, and then wants none."""
    return bool(seen.tasks) or seen.replicas == 0


def describe(seen: ClusterService) -> str:
    """Return how far a service has come, for people."""
    return f"{seen.running} of {seen.wanted} tasks run" + (f", update {seen.update}" if seen.update else "")


def failing_tasks(seen: ClusterService) -> list[Task]:
    """Return tasks of the present configuration that failed, or that wait for something, the newest last."""
    mine = [task for task in seen.tasks if task.promotion == seen.template]
    return [task for task in mine if task.failed or (task.wanted and task.state != "running" and task.error)]


def stuck_tasks(seen: ClusterService) -> frozenset[str]:
    """Return the tasks that an update waits for although their nodes are lost."""
    if seen.update != "updating":
        return frozenset()
    mine = [task for task in seen.tasks if task.lost and task.promotion == seen.template]
    return frozenset(task.id for task in mine if task.state in _BEFORE_RUNNING)


def repeatedly_failed(seen: ClusterService, before: Collection[str]) -> Task | None:
    """Return the newest failed task of a replica that failed too often. Tasks that were there `before` are not counted."""
    failed = [task for task in failing_tasks(seen) if task.failed and task.id not in before]
    counts = Counter((task.name, task.node if seen.replicas is None else "") for task in failed)
    often = [task for task in failed if counts[task.name, task.node if seen.replicas is None else ""] >= TRIES]
    return often[-1] if often else None


def _new(seen: ClusterService, reported: set[str]) -> list[str]:
    """Return the sentences about tasks that were not reported yet."""
    found = [task.sentence for task in failing_tasks(seen) if task.sentence not in reported]
    reported.update(found)
    return found


def _code(seen: ClusterService) -> ReasonCode:
    starting = any(task.wanted and task.state == "starting" for task in seen.tasks)
    return ReasonCode.UNHEALTHY if starting else ReasonCode.START_FAILED
