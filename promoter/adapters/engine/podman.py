"""What Podman does differently, where its Docker-compatible API cannot hide it. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

Document = Mapping[str, Any]
ENGINE = "Podman Engine"
API, HEALTHCHECK = "4.0.0", "/libpod/containers/{0}/healthcheck"
"""A GET runs the healthcheck of a container once, and Podman records the result."""
_INTERVAL = _TIMEOUT = 30.0
_SLACK = 2.0
_NANO = 1e9


def marks(info: Document) -> tuple[str, ...]:
    """Return what identifies a Podman: its host and its storage. The ID that it reports is a new one at each call."""
    return (ENGINE, info["DockerRootDir"], info["Name"])


def is_overdue(container: Document, now: datetime) -> bool:
    """Return whether the healthcheck of a running container was not run when it had to be.

    Podman leaves that to systemd timers: without systemd nothing runs it. `now` is the time of the engine's clock.
    """
    check, state = container["Config"].get("Healthcheck") or {}, container["State"]
    if state["Status"] != "running" or not check.get("Test") or check["Test"][0] == "NONE":
        return False
    log = (state.get("Health") or {}).get("Log") or ()
    last = _time(log[-1].get("End") if log else None) or _time(state.get("StartedAt"))
    interval = (check.get("Interval") or _INTERVAL * _NANO) / _NANO
    wait = interval + min(time_limit(container), interval) + _SLACK
    return last is not None and now - last > timedelta(seconds=wait)


def time_limit(container: Document) -> float:
    """Return the seconds that one healthcheck of the container may take."""
    check = container["Config"].get("Healthcheck") or {}
    return float((check.get("Timeout") or _TIMEOUT * _NANO) / _NANO)


def clock(date: str | None) -> datetime:
    """Parse the `Date` of an answer, which is the engine's time; without one, the time here."""
    try:
        return parsedate_to_datetime(date or "").astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
