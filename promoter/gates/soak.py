"""The soak gate: this release has run upstream, verified and without interruption, for long enough."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from promoter.config.spec import Duration
from promoter.gates.check_base import GateShape
from promoter.gates.context import GateContext
from promoter.model.duration import format_duration
from promoter.model.verdict import ReasonCode, Verdict, passed, waiting


class Soak(GateShape):
    """The gate in the file. `in` is an environment, `for` the required time."""

    kind: ClassVar[str] = "soak"

    in_: str = Field(alias="in")
    for_: Duration = Field(alias="for")

    def title(self) -> str:
        return f"soak in {self.in_} for {format_duration(self.for_)}"


def evaluate_soak(gate: Soak, case: GateContext) -> Verdict:
    stay = case.stays.get(gate.in_)
    if stay is None:
        needed = f"release {case.release.short_id} must run in {gate.in_} for {format_duration(gate.for_)}"
        return waiting(ReasonCode.SOAKING, f"{needed}; no verified release runs there")
    if stay.release != case.release.id:
        there = f"release {stay.release[:12]} has run there since {stay.since:%Y-%m-%d %H:%M:%S} UTC"
        return waiting(ReasonCode.SOAKING, f"release {case.release.short_id} is not deployed in {gate.in_}; {there}")
    if stay.down is not None:
        return waiting(ReasonCode.SOAKING, f"{stay.down}: the soak in {gate.in_} starts again when all services run")
    ends, stayed = (
        stay.since + gate.for_,
        format_duration(timedelta(seconds=max(0, int((case.now - stay.since).total_seconds())))),
    )
    again = f" ({stay.restarted})" if stay.restarted else ""
    if case.now >= ends:
        return passed(f"has run in {gate.in_} since {stay.since:%Y-%m-%d %H:%M:%S} UTC without a restart{again}")
    sentence = f"soaks in {gate.in_} until {ends:%Y-%m-%d %H:%M:%S} UTC: {stayed} of {format_duration(gate.for_)} so far{again}"
    return waiting(ReasonCode.SOAKING, sentence, ends)
