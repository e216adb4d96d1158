"""Operators, filters and methods of templates: as in Jinja2, with limits for the size of texts and numbers."""

from collections.abc import Iterable
from typing import Any

from jinja2 import Undefined

from promoter.config.templates.scope import MAX_LENGTH, Handle, TemplateFault, spell

TOO_LONG = TemplateFault(f"the result has more than {MAX_LENGTH} characters")


def spelled(value: object) -> str:
    return str(value) if isinstance(value, Handle | Undefined) else spell(value)


def _bounded(length: int) -> None:
    if length > MAX_LENGTH:
        raise TOO_LONG


def times(left: Any, right: Any) -> Any:
    for many, count in ((left, right), (right, left)):
        if isinstance(many, str | list | tuple) and isinstance(count, int):
            _bounded(len(many) * count)
    return _plus_or(left * right)


def plus(left: Any, right: Any) -> Any:
    return _plus_or(left + right)


def _plus_or(value: Any) -> Any:
    if isinstance(value, str | list | tuple):
        _bounded(len(value))
    if isinstance(value, int) and value.bit_length() > 1024:
        raise TemplateFault("the resulting number is too large")
    return value


def power(base: Any, exponent: Any) -> Any:
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * abs(exponent) > 1024:
        raise TemplateFault("the resulting number is too large")
    return base**exponent


def modulo(left: Any, right: Any) -> Any:
    if isinstance(left, str):
        raise TemplateFault("formatting with % is not allowed in a template", "join texts with ~")
    return left % right


def replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = spelled(text), spelled(old), spelled(new)
    _bounded(len(text) + text.count(old) * max(0, len(new) - len(old)))
    return str(text.replace(old, new, count))


def join(items: Iterable[object], separator: object = "") -> str:
    words = [spelled(item) for item in items]
    glue = spelled(separator)
    _bounded(sum(map(len, words)) + len(glue) * len(words))
    return glue.join(words)


def join_with(glue: str, items: Iterable[object]) -> str:
    return join(items, glue)
