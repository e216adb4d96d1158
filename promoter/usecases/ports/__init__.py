"""Protocols of the outside world that only use cases need, beyond a promotion."""
