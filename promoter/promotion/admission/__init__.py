"""Decide whether a release may enter an environment: holds, policy, gates, approvals, overrides."""
