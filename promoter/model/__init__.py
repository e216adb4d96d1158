"""The words of the trade as frozen values: no I/O, no clock, no imports from other rooms."""
