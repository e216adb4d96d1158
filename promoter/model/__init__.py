"""The terms of promoter as frozen values: no I/O, no clock, no imports from other folders."""
