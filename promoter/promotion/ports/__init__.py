"""Protocols for everything outside that a promotion uses."""
