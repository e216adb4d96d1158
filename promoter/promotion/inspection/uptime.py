"""Check whether a release ran without a break during its soak time: the engine shows restarts since it was verified."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from promoter.gates.context import Stay
from promoter.ledger.deployment import Deployment
from promoter.model.timestamps import read_stamp
from promoter.promotion.ports.container import Container


def observed(stay: Stay, deployment: Deployment, found: Mapping[str, Container]) -> Stay:
    """Return the stay as the engine shows it. `found` has the containers of the environment, by id.

    If a container was restarted after the verification, the stay begins again. If a container does not run, the stay is
    suspended, unless the container has completed its work.
    """
    since, restarted = stay.since, None
    for service, running in deployment.services.items():
        for index, container in enumerate(running.containers):
            seen = found.get(container)
            if seen is None:
                return replace(stay, down=f"the container of {service} is gone")
            completed = seen.status == "exited" and seen.exit_code == 0 and _unchanged(running.started, index, seen)
            if not (seen.running or completed) or seen.health == "unhealthy":
                return replace(stay, down=f"{seen.name} is {seen.health if seen.running else seen.status}")
            started = _time(seen.started_at)
            again = not _unchanged(running.started, index, seen) if running.started else bool(started and started > stay.since)
            if again and started is not None and started > since:
                since, restarted = started, f"{seen.name} was started again then"
    return replace(stay, since=since, restarted=restarted)


def _unchanged(recorded: tuple[str, ...], index: int, seen: Container) -> bool:
    return index < len(recorded) and recorded[index] == seen.started_at


def _time(stamp: str) -> datetime | None:
    try:
        return read_stamp(stamp)
    except ValueError:
        return None
