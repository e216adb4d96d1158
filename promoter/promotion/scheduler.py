"""Carrying one release through the environments: as far as the gates allow, side by side where none needs another.

After each leg the ledger is folded again. A wait holds nothing: no lease, and without `--wait` no process either.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from promoter.model.release import Release
from promoter.promotion import progress
from promoter.promotion.promote import EnvironmentPromotion
from promoter.promotion.results import EnvironmentResult, Status

REACHED = (Status.DEPLOYED, Status.UNCHANGED)
PARALLEL = 32


@dataclass(frozen=True)
class Scheduler:
    """`needs` names what each environment needs; `targets` are those to be entered, in the order of the file."""

    needs: Mapping[str, tuple[str, ...]]
    targets: tuple[str, ...]
    enter: Callable[[str], EnvironmentPromotion]
    emit: progress.Listener

    def go(self, release: Release) -> tuple[EnvironmentResult, ...]:
        results: dict[str, EnvironmentResult] = {}
        running: dict[Future[EnvironmentResult], str] = {}
        with ThreadPoolExecutor(PARALLEL) as pool:
            while len(results) < len(self.targets):
                for name in self._startable(results, set(running.values())):
                    blocked = self._blocked_by(name, results)
                    if blocked:
                        why = ", ".join(f"{result.name} is {result.status}" for result in blocked)
                        results[name] = self._ended(self.enter(name).not_reached(why))
                    else:
                        running[pool.submit(self.enter(name).go, release)] = name
                if running:
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        results[running.pop(future)] = self._ended(future.result())
        return tuple(results[name] for name in self.targets)

    def _startable(self, results: Mapping[str, EnvironmentResult], running: set[str]) -> list[str]:
        waiting = (name for name in self.targets if name not in results and name not in running)
        return [name for name in waiting if all(need in results for need in self.needs[name] if need in self.targets)]

    def _blocked_by(self, name: str, results: Mapping[str, EnvironmentResult]) -> list[EnvironmentResult]:
        needed = [results[need] for need in self.needs[name] if need in results]
        return [result for result in needed if result.status not in REACHED]

    def _ended(self, result: EnvironmentResult) -> EnvironmentResult:
        seconds = (result.duration_ms or 0) / 1000
        self.emit(progress.EnvironmentEnded(result.name, str(result.status), result.code, result.reasons, seconds))
        return result


def upto(needs: Mapping[str, tuple[str, ...]], last: str | None) -> tuple[str, ...]:
    """`last` and everything it needs, in the order of the file; all environments without `last`."""
    if last is None:
        return tuple(needs)
    wanted, rest = set(), [last]
    while rest:
        name = rest.pop()
        if name not in wanted:
            wanted.add(name)
            rest += needs[name]
    return tuple(name for name in needs if name in wanted)
