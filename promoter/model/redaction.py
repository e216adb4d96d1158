"""Values with every text in them passed through a redactor: what leaves promoter leaves it through here."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

T = TypeVar("T")
Redact = Callable[[str], str]


def unchanged(text: str) -> str:
    """Where no secret is known yet."""
    return text


def redacted(value: T, redact: Redact) -> T:
    """The same value: texts, in mappings (not their keys), lists, tuples and dataclasses, without secrets."""
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
