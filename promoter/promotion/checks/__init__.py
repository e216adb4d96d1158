"""Checks before and after a promotion, carried out: jobs, probes, metrics and programs."""
