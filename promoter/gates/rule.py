"""Kinds of rules that can block a release: gates of the file, and rules that are checked before them."""

from enum import StrEnum


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
        return self in _CHECKS

    @property
    def opens_by_vote(self) -> bool:
        """Return whether votes are still requested while this rule blocks."""
        return self not in _FINAL


_CHECKS = frozenset({Rule.HTTP, Rule.CONTAINER, Rule.COMMAND, Rule.METRIC, Rule.SCAN, Rule.SIGNATURE})
_FINAL = frozenset({Rule.POLICY, Rule.VETO, Rule.SUPERSEDED})
