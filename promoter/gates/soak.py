"""The soak gate: this very release has lived upstream, verified and undisturbed, for long enough."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from promoter.config.spec import Duration, Shape
from promoter.gates.context import GateContext
from promoter.model.duration import say_duration
from promoter.model.verdict import ReasonCode, Verdict, passed, waiting


class Soak(Shape):
    """`in` is an environment, `for` how long the stay must be."""

    kind: ClassVar[str] = "soak"

    in_: str = Field(alias="in")
    for_: Duration = Field(alias="for")

    def title(self) -> str:
        return f"soak in {self.in_} for {say_duration(self.for_)}"


def evaluate_soak(gate: Soak, case: GateContext) -> Verdict:
    stay = case.stays.get(gate.in_)
    if stay is None:
        says = f"no verified release lives in {gate.in_}: release {case.release.short_id} has to, for {say_duration(gate.for_)}"
        return waiting(ReasonCode.SOAKING, says)
    if stay.release != case.release.id:
        there = f"release {stay.release[:12]} lives in {gate.in_} since {stay.since:%Y-%m-%d %H:%M:%S} UTC"
        return waiting(ReasonCode.SOAKING, f"{there}, and not {case.release.short_id}: its stay has ended or not begun")
    if stay.down is not None:
        return waiting(ReasonCode.SOAKING, f"{stay.down}: the soak in {gate.in_} begins again once all of it runs")
    ends, stayed = stay.since + gate.for_, say_duration(timedelta(seconds=max(0, int((case.now - stay.since).total_seconds()))))
    again = f" ({stay.restarted})" if stay.restarted else ""
    if case.now >= ends:
        return passed(f"has run in {gate.in_} since {stay.since:%Y-%m-%d %H:%M:%S} UTC without a restart{again}")
    says = f"soaks in {gate.in_} until {ends:%Y-%m-%d %H:%M:%S} UTC: {stayed} of {say_duration(gate.for_)} so far{again}"
    return waiting(ReasonCode.SOAKING, says, ends)
