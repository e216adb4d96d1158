"""The keys of a front and of the strategies that use it, and what a plan records of them."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator

from promoter.config.spec import Duration, Shape
from promoter.config.spec_errors import misfit

IMAGE = "haproxy:3.2"
LONGEST = timedelta(hours=24)


def _limited(value: timedelta) -> timedelta:
    if value > LONGEST:
        raise misfit("this is longer than a day", "write for example 30s")
    return value


def _a_second(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise misfit("a hold of less than a second cannot be kept", "write for example 30s")
    return value


def _check_path(value: str) -> str:
    if not value.startswith("/") or len(value.split()) != 1 or not value.isprintable() or "{" in value:
        raise misfit(f"{value!r} is not the path of a page", "write for example /healthz")
    return value


Span = Annotated[Duration, AfterValidator(_limited)]


class FrontForm(Shape):
    """The front of an environment. `health` is the path of a page on which the front itself answers; there is none by default.

    `drain` is how long requests of the old container may take after the switch. `proxy_protocol`: what connects to the front
    sends the PROXY protocol.
    """

    image: str = IMAGE
    mode: Literal["http", "tcp"] = "http"
    drain: Span = timedelta(seconds=30)
    proxy_protocol: bool = False
    health: Annotated[str, AfterValidator(_check_path)] | None = None


class StartFirstForm(Shape):
    """The options of `start-first`. `monitor` is how long the new container is watched after the switch."""

    drain: Span | None = None
    monitor: Span = timedelta(seconds=30)


class HoldForm(StartFirstForm):
    """The options of `hold`. `max_hold` is how long requests may wait."""

    max_hold: Annotated[Span, AfterValidator(_a_second)] = timedelta(seconds=30)


class Route(Shape):
    """A published port of a service: the front listens on its own port `bind`, and sends to port `target` of the service."""

    service: str
    target: int
    bind: int

    @property
    def backend(self) -> str:
        return f"{self.service}_{self.target}"


class Front(Shape):
    """The front of an environment with the options of its strategy. `max_hold` is None if the strategy does not hold."""

    mode: Literal["http", "tcp"] = "http"
    drain: Duration
    monitor: Duration
    max_hold: Duration | None = None
    proxy_protocol: bool = False
    health: str | None = None
    routes: tuple[Route, ...] = ()

    def of(self, service: str) -> tuple[Route, ...]:
        """Return the routes of a service; none if it is not behind the front."""
        return tuple(route for route in self.routes if route.service == service)
