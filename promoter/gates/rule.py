"""Kinds of rules that can block a release, except checks: each kind of check is its own rule, by its key in the file."""

from enum import StrEnum


class Rule(StrEnum):
    APPROVAL = "approval"
    SOAK = "soak"
    WINDOW = "window"
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
    BARRIER = "barrier"


FINAL = frozenset({Rule.POLICY, Rule.VETO, Rule.SUPERSEDED})
"""Rules that no vote can satisfy: while one of them blocks, no votes are requested."""
