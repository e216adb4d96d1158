"""One line of the doctor's report, and how an error becomes one."""

from collections.abc import Callable
from dataclasses import dataclass

from promoter.model.errors import PromoterError


@dataclass(frozen=True, slots=True)
class Finding:
    """What is missing says how to mend it. Only what no promotion can do without is essential."""

    part: str
    ok: bool
    essential: bool
    detail: str
    remedy: str | None = None

    def document(self) -> dict[str, object]:
        return {"part": self.part, "ok": self.ok, "essential": self.essential, "detail": self.detail, "remedy": self.remedy}


def tried(part: str, look: Callable[[], str]) -> Finding:
    """Of what no promotion can do without: `look` says what it found, or raises."""
    try:
        return Finding(part, True, True, look())
    except PromoterError as error:
        return Finding(part, False, True, error.message, error.hint or "promoter status shows more")
