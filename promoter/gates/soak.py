"""The soak gate: this very release has lived upstream, verified and undisturbed, for long enough."""

from typing import ClassVar

from pydantic import Field

from promoter.compose.shape import Duration, Shape
from promoter.gates.case import Case
from promoter.model.duration import say_duration
from promoter.model.verdict import ReasonCode, Verdict, passed, waiting


class Soak(Shape):
    """`in` is an environment, `for` how long the stay must be."""

    kind: ClassVar[str] = "soak"

    in_: str = Field(alias="in")
    for_: Duration = Field(alias="for")

    def title(self) -> str:
        return f"soak in {self.in_} for {say_duration(self.for_)}"


def judge_soak(gate: Soak, case: Case) -> Verdict:
    stay = case.stays.get(gate.in_)
    if stay is None or stay.release != case.release.id:
        return waiting(ReasonCode.SOAKING, f"release {case.release.short_id} does not live in {gate.in_}")
    ends = stay.since + gate.for_
    if case.now >= ends:
        return passed(f"has lived in {gate.in_} since {stay.since:%Y-%m-%d %H:%M:%S} UTC")
    return waiting(ReasonCode.SOAKING, f"soaks in {gate.in_} until {ends:%Y-%m-%d %H:%M:%S} UTC", ends)
