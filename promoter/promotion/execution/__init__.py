"""Carry out one plan on an engine: record a fact after each step, and restore the earlier release after a failure."""
