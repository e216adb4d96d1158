"""Kinds of rules that can block a release: gates of the file, and rules that are checked before them."""

from enum import StrEnum
from typing import Literal, get_args

CheckKind = Literal["http", "container", "command", "metric", "scan", "signature"]
GateKind = Literal["approval", "soak", "window", CheckKind]
"""The keys of gates in a pipeline file."""


class Rule(StrEnum):
    APPROVAL = "approval"
    SOAK = "soak"
    WINDOW = "window"
    HTTP = "http"
    CONTAINER = "container"
    COMMAND = "command"
    METRIC = "metric"
    SCAN = "scan"
    SIGNATURE = "signature"
    NEEDS = "needs"
    PIN = "pin"
    FREEZE = "freeze"
    VETO = "veto"
    POLICY = "policy"
    SUPERSEDED = "superseded"
    REVIEW = "review"
    OVERRIDE = "override"
    ROLLBACK = "rollback"
    DIGESTS = "digests"
    ENGINE = "engine"
    LEDGER = "ledger"

    @property
    def is_check(self) -> bool:
        """Return whether its verdict depends on a check of the outside world."""
        return self in get_args(CheckKind)

    @property
    def opens_by_vote(self) -> bool:
        """Return whether votes are still requested while this rule blocks."""
        return self not in _FINAL


_FINAL = frozenset({Rule.POLICY, Rule.VETO, Rule.SUPERSEDED})
