"""`${VAR}` as Compose files use it: defaults, alternatives, required ones, and `$$` for a dollar."""

from collections.abc import Mapping

from promoter.model.pattern import pattern

_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_DOLLAR = "write $$ for a dollar sign"
MAX_LENGTH = 1 << 20
"""Maximum characters: variables made of variables can grow without limit."""
MAX_DEPTH = 64
_TOO_LONG = f"with its variables this has more than {MAX_LENGTH:,} characters"


class Unset(ValueError):
    """A required variable is not set, or `${…}` is invalid."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Fill in the variables of `text`. An unset variable is empty, as in Compose."""
    if "$" not in text:
        return text
    filled, end = _fill(text, 0, environ, 0)
    assert end == len(text)
    return filled


def _fill(text: str, position: int, environ: Mapping[str, str] | None, depth: int) -> tuple[str, int]:
    """Read from `position` to the end, or to the closing brace. Without `environ`, only skip over the text."""
    if depth > MAX_DEPTH:
        raise Unset(f"variables are nested deeper than {MAX_DEPTH} levels")
    parts: list[str] = []
    plain = size = 0
    while position < len(text):
        char = text[position]
        if depth and char == "}" and not plain:
            return "".join(parts), position
        if char != "$":
            plain += (char == "{") - (char == "}") if depth else 0
            value, position = char, position + 1
        elif text.startswith("$$", position):
            value, position = "$", position + 2
        elif text.startswith("${", position):
            value, position = _braced(text, position + 2, environ, depth + 1)
        elif match := _NAME.match(text, position + 1):
            value, position = (environ or {}).get(match[0], ""), match.end()
        else:
            value, position = "$", position + 1
        size += len(value)
        if size > MAX_LENGTH:
            raise Unset(_TOO_LONG, "put the text into a file")
        parts.append(value)
    if depth:
        raise Unset("`${` is never closed", f"write }} after the name, or {_DOLLAR.removeprefix('write ')}")
    return "".join(parts), position


def _braced(text: str, position: int, environ: Mapping[str, str] | None, depth: int) -> tuple[str, int]:
    match = _NAME.match(text, position)
    if not match:
        raise Unset("`${` is not followed by a name", "write for example ${TAG:-latest}, or $$ for a dollar sign")
    name, position = match[0], match.end()
    value = None if environ is None else environ.get(name)
    operator = next((o for o in _OPERATORS if text.startswith(o, position)), "")
    if not operator:
        if text[position : position + 1] != "}":
            raise Unset(f"`${{{name}` is never closed", "write } after the name, or $$ for a dollar sign")
        return value or "", position + 1
    found = bool(value) if operator[0] == ":" else value is not None
    wanted = found if operator[-1] == "+" else not found
    word, end = _fill(text, position + len(operator), environ if wanted else None, depth)
    if operator[-1] == "+":
        return (word if found else ""), end + 1
    if found or environ is None:
        return value or "", end + 1
    if operator[-1] == "?":
        raise Unset(f"the environment variable {name} is required" + (f": {word}" if word else ""), f"set {name}")
    return word, end + 1
