"""Every kind of gate."""

from promoter.gates.approval.rule import Approval
from promoter.gates.checks import Check
from promoter.gates.soak import Soak
from promoter.gates.window.rule import Window

Gate = Approval | Soak | Window | Check
