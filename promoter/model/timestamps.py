"""Timestamps as the ledger writes them."""

import re
from datetime import UTC, datetime

from promoter.model.pattern import pattern

_STAMP = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


def stamp(at: datetime) -> str:
    """Format a time as RFC 3339 in UTC with microseconds: `2026-11-23T18:20:11.123456Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_stamp(text: str) -> datetime:
    return datetime.fromisoformat(text)
