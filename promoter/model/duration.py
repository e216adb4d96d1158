"""Durations as Compose writes them: `1m30s`, `250ms`, `4h`."""

from datetime import timedelta

from promoter.model.pattern import pattern

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = pattern(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d)")


def parse_duration(text: str) -> timedelta:
    """Read a duration. Raise ValueError with a message if `text` is not one."""
    spans = list(_PART.finditer(text))
    if not spans or "".join(m.group() for m in spans) != text:
        raise ValueError(f"{text!r} is not a duration: write for example 500ms, 30s, 1m30s or 4h")
    try:
        return timedelta(seconds=sum(float(m[1]) * _UNITS[m[2]] for m in spans))
    except OverflowError as error:
        raise ValueError(f"the duration {text[:40]!r} is too long: write for example 4h") from error


def format_duration(span: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads as the same value, to the microsecond."""
    micro = round(span.total_seconds() * 1_000_000)
    words = []
    for unit, size in (("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)):
        count, micro = divmod(micro, size)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words) or "0s"
