"""When the gates that only time opens are all open: the end of a soak may fall outside the window, and so on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from promoter.gates.context import GateContext
from promoter.gates.soak import Soak, evaluate_soak
from promoter.gates.window.rule import Window, evaluate_window
from promoter.model.verdict import Outcome, Verdict

MOST_STEPS = 200


def opens_together(gates: Sequence[object], case: GateContext) -> datetime | None:
    """The first instant at or after `case.now` in which no soak and no window is shut; None when there is none in sight.

    It goes from opening to opening: each that is too early for one gate is moved to when that gate opens.
    """
    at = case.now
    for _ in range(MOST_STEPS):
        shut = [one for one in _verdicts(gates, replace(case, now=at)) if one.outcome is not Outcome.PASSED]
        if not shut:
            return at
        openings = [one.opens_at for one in shut if one.opens_at is not None]
        if len(openings) < len(shut):
            return None
        at = max(openings)
    return None


def _verdicts(gates: Sequence[object], case: GateContext) -> list[Verdict]:
    return [
        evaluate_soak(gate, case) if isinstance(gate, Soak) else evaluate_window(gate, case)
        for gate in gates
        if isinstance(gate, Soak | Window)
    ]
