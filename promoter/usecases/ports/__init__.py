"""Protocols of what use cases ask of the outside world, beyond a promotion."""
