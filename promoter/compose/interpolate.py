"""`${VAR}` as Compose files use it: defaults, alternatives, required ones, and `$$` for a dollar."""

import re
from collections.abc import Mapping

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Unset(ValueError):
    """A variable is required and not set, or the `$` is not followed by anything that has a meaning."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """`text` with variables filled in. One that is not set is empty, as Compose has it."""
    if "$" not in text:
        return text
    filled, end = _fill(text, 0, environ, inside=False)
    assert end == len(text)
    return filled


def _fill(text: str, place: int, environ: Mapping[str, str], *, inside: bool) -> tuple[str, int]:
    """From `place` to the end, or (inside braces) to the closing one."""
    parts: list[str] = []
    while place < len(text):
        char = text[place]
        if inside and char == "}":
            return "".join(parts), place
        if char != "$":
            parts.append(char)
            place += 1
        elif text.startswith("$$", place):
            parts.append("$")
            place += 2
        elif text.startswith("${", place):
            value, place = _braced(text, place + 2, environ)
            parts.append(value)
        elif match := _NAME.match(text, place + 1):
            parts.append(environ.get(match[0], ""))
            place = match.end()
        else:
            raise Unset("a `$` stands alone here", "write $$ for a dollar sign")
    if inside:
        raise Unset("`${` is never closed", "write } after the name, or $$ for a dollar sign")
    return "".join(parts), place


def _braced(text: str, place: int, environ: Mapping[str, str]) -> tuple[str, int]:
    match = _NAME.match(text, place)
    if not match:
        raise Unset("`${` is not followed by a name", "write for example ${TAG:-latest}, or $$ for a dollar sign")
    name, place = match[0], match.end()
    operator = next((o for o in (":-", ":?", ":+", "-", "?", "+") if text.startswith(o, place)), "")
    if not operator:
        if text[place : place + 1] != "}":
            raise Unset(f"`${{{name}` is never closed", "write } after the name, or $$ for a dollar sign")
        return environ.get(name, ""), place + 1
    word, end = _fill(text, place + len(operator), environ, inside=True)
    is_set = bool(environ.get(name)) if operator[0] == ":" else name in environ
    match operator[-1]:
        case "-":
            return (environ[name] if is_set else word), end + 1
        case "+":
            return (word if is_set else ""), end + 1
    if not is_set:
        raise Unset(f"the environment variable {name} is required" + (f": {word}" if word else ""), f"set {name}")
    return environ[name], end + 1
