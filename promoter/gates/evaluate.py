"""Evaluate gates: cheap ones first, approvals last. Pure."""

from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from promoter.gates.approval.rule import Approval, counting, evaluate_approval
from promoter.gates.check_base import CheckShape
from promoter.gates.checks import Check, evaluate_check
from promoter.gates.context import CheckResult, GateContext
from promoter.gates.registry import Gate
from promoter.gates.rule import FINAL
from promoter.gates.soak import Soak, evaluate_soak
from promoter.gates.window.rule import Window, evaluate_window
from promoter.model.dataclass import dataclass
from promoter.model.timestamps import stamp
from promoter.model.verdict import Outcome, ReasonCode, Verdict
from promoter.model.vote import Grade

RunCheck = Callable[[Check], CheckResult]


@dataclass(frozen=True)
class GateResult:
    """One gate and its verdict. `gate` is the title that people read, `kind` its key in the file, or another `Rule`."""

    gate: str
    verdict: Verdict
    kind: str
    grade: Grade | None = None
    """The required proof of votes, for an approval."""
    is_check: bool = False
    """Whether the verdict depends on a check of the outside world."""

    @property
    def opens_by_vote(self) -> bool:
        """Return whether votes are still requested while this rule blocks."""
        return self.kind not in FINAL


def evaluate_gates(gates: tuple[Gate, ...], case: GateContext, run_checks: RunCheck | None) -> tuple[GateResult, ...]:
    """Return the verdict of every gate, in the order of the file. Without `run_checks`, no check runs."""
    closed = any(
        evaluate_gate(gate, i, case).outcome is not Outcome.PASSED
        for i, gate in enumerate(gates)
        if isinstance(gate, (Soak, Window))
    )
    seen: dict[int, CheckResult] = {}
    for index, gate in enumerate(gates):
        if run_checks is not None and not closed and isinstance(gate, Check):
            seen[index] = run_checks(gate)
            closed = not (seen[index].passed or gate.dry_run)
    case = replace(case, checks=seen)
    return tuple(
        GateResult(
            gate.title(),
            evaluate_gate(gate, i, case),
            gate.kind,
            gate.grade if isinstance(gate, Approval) else None,
            isinstance(gate, Check),
        )
        for i, gate in enumerate(gates)
    )


def evaluate_gate(gate: Gate, index: int, case: GateContext) -> Verdict:
    match gate:
        case Approval():
            return evaluate_approval(gate, case)
        case Soak():
            return evaluate_soak(gate, case)
        case Window():
            return evaluate_window(gate, case)
        case CheckShape():
            return evaluate_check(gate, index, case)
    assert_never(gate)


def consumed_votes(gates: tuple[Gate, ...], case: GateContext) -> tuple[str, ...]:
    """Return the digests of the facts with the votes that a start uses."""
    votes = [vote.digest for gate in gates if isinstance(gate, Approval) for vote in counting(gate, case)]
    return tuple(dict.fromkeys(votes))


def worst(results: tuple[GateResult, ...]) -> GateResult | None:
    """Return the result that decides: a refusal, else what waits, else a check that has not run; None if all gates are open."""
    refused = (one for one in results if one.verdict.outcome is Outcome.REFUSED)
    waiting = [one for one in results if one.verdict.outcome is Outcome.WAITING]
    known = (one for one in waiting if one.verdict.code is not ReasonCode.NOT_CHECKED)
    return next((one for found in (refused, known, waiting) for one in found), None)


def gate_document(one: GateResult) -> dict[str, object]:
    verdict = one.verdict
    opens = stamp(verdict.opens_at) if verdict.opens_at else None
    return {
        "gate": one.gate,
        "outcome": str(verdict.outcome),
        "reason_code": str(verdict.code),
        "sentence": verdict.sentence,
        "opens_at": opens,
    }
