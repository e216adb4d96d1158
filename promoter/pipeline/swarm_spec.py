"""The options of the strategy `swarm`, as the file and a plan have them."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator

from promoter.config.spec import Duration, Shape
from promoter.config.spec_errors import misfit


def _a_second(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise misfit("no service converges in less than a second", "write for example 5m")
    return value


class SwarmForm(Shape):
    """The options of `swarm`. `timeout` is the longest wait for a service to converge."""

    timeout: Annotated[Duration, AfterValidator(_a_second)] = timedelta(minutes=5)
