"""Carrying a plan out on one engine: replacing, proving, checking, putting back. It may fail, but it decides nothing.

What is done when is the plan's to say; what is recorded is the runner's.
"""
