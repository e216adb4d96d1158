"""Host addresses with a special meaning."""

EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 -- compared with published ports; no socket of promoter listens on it
"""A port that is published here is reachable at every IPv4 address of its host."""
