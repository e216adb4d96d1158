"""Promote one release through the environments, as far as the gates allow, and in parallel if they are independent.

For each environment the ledger is read again. A run that waits has no lease, and without `--wait` there is no process either.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from graphlib import TopologicalSorter

from promoter.model.dataclass import dataclass
from promoter.model.release import Release
from promoter.promotion import progress
from promoter.promotion.environment import EnvironmentContext
from promoter.promotion.futures import wait_for_one
from promoter.promotion.prefetch import prefetch_later
from promoter.promotion.promote import not_reached, promote_to
from promoter.promotion.results import EnvironmentResult, Status

REACHED = (Status.DEPLOYED, Status.UNCHANGED)
PARALLEL = 32


@dataclass(frozen=True)
class Scheduler:
    """`needs` has the names that each environment needs; `targets` are the environments to enter, in the order of the file."""

    needs: Mapping[str, tuple[str, ...]]
    targets: tuple[str, ...]
    enter: Callable[[str], EnvironmentContext]
    emit: progress.Listener

    def go(self, release: Release) -> tuple[EnvironmentResult, ...]:
        """Return the result of each target. Raise an error of the caller after the running targets have ended."""
        graph = TopologicalSorter({name: [n for n in self.needs[name] if n in self.targets] for name in self.targets})
        graph.prepare()
        results: dict[str, EnvironmentResult] = {}
        running: dict[Future[EnvironmentResult], str] = {}
        with ThreadPoolExecutor(PARALLEL) as pool:
            while graph.is_active():
                for name in graph.get_ready():
                    running[pool.submit(self._promote, name, release, self._blocked_by(name, results))] = name
                for future in wait_for_one(running):
                    name = running.pop(future)
                    results[name] = self._ended(future.result())
                    graph.done(name)
        return tuple(results[name] for name in self.targets)

    def _promote(self, name: str, release: Release, blocked: str) -> EnvironmentResult:
        env = self.enter(name)
        if not blocked:
            return promote_to(env, release)
        prefetch_later(env, release)
        return not_reached(env, blocked)

    def _blocked_by(self, name: str, results: Mapping[str, EnvironmentResult]) -> str:
        """Return why an environment that it needs was not reached; empty if all were."""
        needed = [results[need] for need in self.needs[name] if need in results]
        return ", ".join(f"{one.name} is {one.status.words}" for one in needed if one.status not in REACHED)

    def _ended(self, result: EnvironmentResult) -> EnvironmentResult:
        seconds = (result.duration_ms or 0) / 1000
        self.emit(progress.EnvironmentEnded(result.name, str(result.status), result.code, result.reasons, seconds))
        return result
