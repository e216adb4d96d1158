"""Run checks before and after a promotion: jobs, probes, metrics and programs."""
