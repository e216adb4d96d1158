"""Protocols of what a promotion asks of the outside world."""
