"""Read env files, with Compose's rules for names, quotes, comments, `export` and `${…}`."""

import re
from collections import ChainMap
from collections.abc import Mapping

from promoter.model.pattern import pattern
from promoter.pipeline.compose.interpolation import Unset, interpolate

_BLANK = "\t\v\f\r \x85\xa0"
_GAP = pattern(r"(?:\s+|\#[^\n]*)+")
_EXPORT = pattern(rf"export[{_BLANK}\n]+")
_NAME = pattern(rf"(?:[{_BLANK}]|[^\W]|[.\-\[\]])*")
_ESCAPE = pattern(r'\\(?:[abcfnrtv$"\\]|0\d{0,3})')
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", '"': '"', "\\": "\\", "$": "$$"}

MAX_TOTAL = 16 << 20
"""Maximum characters of all values: a line can contain the values of lines above it."""


class BadEnvFile(ValueError):
    """An env file has an error. `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line, self.message = line, message


def read_env_file(text: str, environ: Mapping[str, str], *, raw: bool = False) -> dict[str, str]:
    """Read the variables of `text`, in order. A KEY without a value is taken from `environ`, or left out."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return _Raw(text, environ).read() if raw else _Reader(text, environ).read()


class _Reader:
    """Look up a variable inside a value: in the process environment first, then in the lines above."""

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        self._text, self._environ = text, environ
        self._found: dict[str, str] = {}
        self._size = 0
        self._known = ChainMap(dict(environ), self._found)

    def read(self) -> dict[str, str]:
        position = 0
        while (start := self._skip(_GAP, position)) < len(self._text):
            name, position = self._name(start)
            if self._text[position : position + 1] in ("", "\n"):
                self._found |= {name: self._environ[name]} if name in self._environ else {}
                continue
            position += 1
            while self._text[position : position + 1] in _BLANK and position < len(self._text):
                position += 1
            self._found[name], position = self._value(position)
            self._size += len(self._found[name])
            if self._size > MAX_TOTAL:
                raise self._bad(start, f"the values up to here have more than {MAX_TOTAL:,} characters")
        return self._found

    def _skip(self, what: re.Pattern[str], position: int) -> int:
        match = what.match(self._text, position)
        return match.end() if match else position

    def _name(self, start: int) -> tuple[str, int]:
        start = self._skip(_EXPORT, start)
        end = self._skip(_NAME, start)
        name = self._text[start:end].rstrip(_BLANK)
        if not name or self._text[end : end + 1] not in ("=", ":", "\n", "") or " " in name:
            raise self._bad(start, f"{self._line(start)[:40]!r} is not NAME=value")
        return name, end

    def _value(self, start: int) -> tuple[str, int]:
        quote = self._text[start : start + 1]
        if quote not in ("'", '"') or not quote:
            line = self._line(start)
            return self._filled(line.split(" #", 1)[0].rstrip(), start), start + len(line)
        match = re.compile(rf"{quote}((?:[^\\{quote}]|\\.)*){quote}", re.DOTALL).match(self._text, start)
        if match is None:
            raise self._bad(start, f"unclosed {quote}")
        inner = match[1].replace(f"\\{quote}", quote) if quote == "'" else _ESCAPE.sub(_escaped, match[1])
        return (inner if quote == "'" else self._filled(inner, start)), match.end()

    def _filled(self, value: str, start: int) -> str:
        try:
            return interpolate(value, self._known)
        except Unset as error:
            raise self._bad(start, error.message) from error

    def _line(self, start: int) -> str:
        end = self._text.find("\n", start)
        return self._text[start : end if end >= 0 else len(self._text)]

    def _bad(self, position: int, message: str) -> BadEnvFile:
        return BadEnvFile(self._text.count("\n", 0, position) + 1, message)


def _escaped(match: re.Match[str]) -> str:
    letter, digits = match[0][1], match[0][2:]
    if letter != "0":
        return _ESCAPED.get(letter, match[0])
    return chr(int(digits, 8)) if re.fullmatch("[0-3][0-7]{2}", digits) else "\\" + digits


class _Raw:
    """Reads env files with `format: raw`, which takes each value literally."""

    def __init__(self, text: str, environ: Mapping[str, str]) -> None:
        self._lines, self._environ = text.split("\n"), environ

    def read(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, line in enumerate(self._lines, start=1):
            text = line.lstrip()
            if not text or text.startswith("#"):
                continue
            name, equals, value = text.partition("=")
            if not name or any(sign.isspace() for sign in name):
                raise BadEnvFile(number, f"{text[:40]!r} is not NAME=value")
            if equals or name in self._environ:
                found[name] = value if equals else self._environ[name]
        return found
