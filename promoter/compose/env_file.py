"""Env files: their text -> variables. Compose's own rules for quotes, comments, `export` and `${…}`."""

import re
from collections.abc import Mapping

from promoter.compose.interpolate import Unset, interpolate

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:=[ \t]*(.*))?", re.DOTALL)
_DOUBLE = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$$"}


class BadEnvFile(ValueError):
    """`line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def read_env_file(text: str, environ: Mapping[str, str], *, raw: bool = False) -> dict[str, str]:
    """The variables of `text`, in order. A bare KEY is taken from `environ`, and left out where that has none."""
    found: dict[str, str] = {}
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        start = number
        line = lines[number]
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise BadEnvFile(start + 1, f"{line.strip()[:40]!r} is not NAME=value")
        name, value = match[1], match[2]
        if value is None:
            found |= {name: environ[name]} if name in environ else {}
        elif raw:
            found[name] = value
        else:
            while value[:1] in ("'", '"') and _closing(value) is None and number < len(lines):
                value += "\n" + lines[number]
                number += 1
            found[name] = _value(value, {**environ, **found}, start + 1)
    return found


def _closing(value: str) -> int | None:
    """The place of the quote that ends a quoted value."""
    quote, place = value[0], 1
    while place < len(value):
        if value[place] == "\\" and quote == '"':
            place += 1
        elif value[place] == quote:
            return place
        place += 1
    return None


def _value(value: str, known: Mapping[str, str], line: int) -> str:
    quote = value[:1]
    if quote in ("'", '"') and quote:
        end = _closing(value)
        if end is None:
            raise BadEnvFile(line, f"a {quote} is opened and never closed")
        inner = value[1:end]
        if quote == "'":
            return inner
        inner = re.sub(r"\\(.)", lambda m: _DOUBLE.get(m[1], m[0]), inner, flags=re.DOTALL)
    else:
        inner = re.split(r"(?:^|\s)#", value, maxsplit=1)[0].strip()
    try:
        return interpolate(inner, known)
    except Unset as error:
        raise BadEnvFile(line, error.message) from error
