"""What an environment allows in an emergency: which gates a rollback passes by, and who may override all of them."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from promoter.compose.shape import Duration, Shape
from promoter.gates.approval import Grade

GateKind = Literal["approval", "soak", "window", "http", "container", "command", "metric", "scan", "signature"]


class Rollback(Shape):
    """`skip` names the kinds of gates that a rollback passes by; soak always is. `window` stands for freezes too.

    Without `skip` a rollback passes by all of them.
    """

    skip: tuple[GateKind, ...] | None = None

    def skips(self, kind: str) -> bool:
        return kind == "soak" or self.skip is None or kind in self.skip


class Override(Shape):
    """`from` names the people or roles who may pass the gates together, `min` of them, with a reason.

    The next normal promotion waits until another person has signed the review, which is due `review_within`.
    """

    from_: tuple[str, ...] = Field(alias="from", min_length=1)
    min: int = Field(default=1, ge=1)
    review_within: Duration = timedelta(hours=24)
    grade: Grade = Grade.SIGNED
