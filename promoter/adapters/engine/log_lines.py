"""Lines of a log with their times, as the engine writes them."""

from datetime import UTC, datetime

from promoter.promotion.ports.container import LogPart


def log_part(output: str, since: str) -> LogPart:
    """Return the lines of a log with times that were written after `since`; the engine includes `since` itself."""
    stamped = (line.partition(" ") for line in output.splitlines(keepends=True))
    fresh = [(at, text) for at, _, text in stamped if at > since]
    return LogPart("".join(text for _, text in fresh), fresh[-1][0] if fresh else since)


def unix(stamp: str) -> str:
    """Return an engine's time, such as 2026-11-29T01:02:03.123456789Z, in seconds since 1970, without rounding."""
    whole, _, fraction = stamp.removesuffix("Z").partition(".")
    return f"{int(datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp())}.{fraction or '0'}"
