"""Every kind of gate. A check is a gate too: its kind is named in `checks.py` alone."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from promoter.gates.approval.rule import Approval
from promoter.gates.checks import CHECKS, Check
from promoter.gates.soak import Soak
from promoter.gates.window.rule import Window

Gate = Approval | Soak | Window | Check
GATES: Mapping[str, type[Gate]] = {**{shape.kind: shape for shape in (Approval, Soak, Window)}, **CHECKS}
"""Every gate by its key in the file."""

if TYPE_CHECKING:
    GateKind = str
else:
    GateKind = Literal[tuple(GATES)]
