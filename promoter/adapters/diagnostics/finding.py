"""One line of `promoter doctor`, also made from an error."""

from collections.abc import Callable

from promoter.model.dataclass import dataclass
from promoter.model.errors import PromoterError


@dataclass(frozen=True)
class Finding:
    """The result of one check, with a remedy if it failed. Essential: no promotion works without it."""

    part: str
    ok: bool
    essential: bool
    detail: str
    remedy: str | None = None

    def document(self) -> dict[str, object]:
        return {"part": self.part, "ok": self.ok, "essential": self.essential, "detail": self.detail, "remedy": self.remedy}


def tried(part: str, check: Callable[[], str]) -> Finding:
    """Run an essential check: `look` returns what it found, or raises."""
    try:
        return Finding(part, True, True, check())
    except PromoterError as error:
        return Finding(part, False, True, error.message, error.hint or "promoter status shows more")
