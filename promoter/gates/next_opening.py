"""Find when all gates that open with time are open together: for example, a soak may end outside a window."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from promoter.gates.context import GateContext
from promoter.gates.soak import Soak, evaluate_soak
from promoter.gates.window.rule import Window, evaluate_window
from promoter.model.verdict import Outcome, Verdict

MOST_STEPS = 200


def opens_together(gates: Sequence[object], case: GateContext) -> datetime | None:
    """Return the first instant at or after `case.now` at which all soaks and windows are open; None if none is found.

    The search goes from opening to opening: if one gate is still closed then, it continues at the opening of that gate.
    """
    at = case.now
    for _ in range(MOST_STEPS):
        closed = [one for one in _verdicts(gates, replace(case, now=at)) if one.outcome is not Outcome.PASSED]
        if not closed:
            return at
        openings = [one.opens_at for one in closed if one.opens_at is not None]
        if len(openings) < len(closed):
            return None
        at = max(openings)
    return None


def _verdicts(gates: Sequence[object], case: GateContext) -> list[Verdict]:
    return [
        evaluate_soak(gate, case) if isinstance(gate, Soak) else evaluate_window(gate, case)
        for gate in gates
        if isinstance(gate, Soak | Window)
    ]
