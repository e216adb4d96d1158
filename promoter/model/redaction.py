"""Apply a redactor to every text in a value. All output of promoter passes through here."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

T = TypeVar("T")
Redact = Callable[[str], str]


def unchanged(text: str) -> str:
    """Return a text unchanged, before any secret is known."""
    return text


def redacted(value: T, redact: Redact) -> T:
    """Return the value without secrets in its texts, in mappings (not keys), lists, tuples and dataclasses."""
    if redact is unchanged:
        return value
    return cast("T", _redacted(value, redact))


def _redacted(value: object, redact: Redact) -> object:
    if type(value) is str:
        return redact(value)
    if isinstance(value, Mapping):
        return {key: _redacted(item, redact) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, redact) for item in value]
    if type(value) is tuple:
        return tuple(_redacted(item, redact) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        found = {field.name: getattr(value, field.name) for field in fields(value)}
        changed = {name: new for name, old in found.items() if (new := _redacted(old, redact)) != old}
        return replace(value, **changed) if changed else value
    return value
