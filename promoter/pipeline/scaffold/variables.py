"""Convert Compose's `${VAR}` to templates of a pipeline file with the same meaning. Pure."""

from collections.abc import Mapping
from typing import Any

from promoter.config.yaml.scalars import Tagged
from promoter.model.pattern import pattern
from promoter.pipeline.compose.interpolation import Unset

_NAME = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATORS = (":-", ":?", ":+", "-", "?", "+")
_BRACES = pattern(r"\{+[{%#]")
_DEEPEST = 32
Path = tuple[str | int, ...]


class Malformed(ValueError):
    """A `${` that is an error in Compose, and its position."""

    def __init__(self, path: Path, error: Unset) -> None:
        super().__init__(error.message)
        self.path, self.message, self.hint = path, error.message, error.hint


def templated(value: Any, path: Path = ()) -> Any:
    """Convert variables in `value` to templates, and escape other braces. Keys are not changed."""
    if isinstance(value, str):
        try:
            return _text(value)
        except Unset as error:
            raise Malformed(path, error) from error
    if isinstance(value, Mapping):
        return {
            key: templated(item, (*path, str(key)))
            for key, item in value.items()
            if not (isinstance(item, Tagged) and item.tag == "reset")
        }
    if isinstance(value, Tagged):
        return templated(value.value, path)
    return [templated(item, (*path, offset)) for offset, item in enumerate(value)] if isinstance(value, (list, tuple)) else value


def _text(text: str) -> str:
    if "$" not in text and "{" not in text:
        return text
    parts, end = _parts(text, 0, 0)
    assert end == len(text)
    return "".join(_BRACES.sub(lambda m: f'{{{{ "{m[0]}" }}}}', one) if literal else f"{{{{ {one} }}}}" for literal, one in parts)


def _parts(text: str, offset: int, depth: int) -> tuple[list[tuple[bool, str]], int]:
    """Read literal texts and expressions, to the end or to the closing brace."""
    if depth > _DEEPEST:
        raise Unset(f"variables are nested deeper than {_DEEPEST} levels")
    parts: list[tuple[bool, str]] = []
    plain = 0
    while offset < len(text):
        char = text[offset]
        literal = True
        if depth and char == "}" and not plain:
            return parts, offset
        if char != "$":
            plain += (char == "{") - (char == "}") if depth else 0
            part, offset = char, offset + 1
        elif text.startswith("$$", offset):
            part, offset = "$", offset + 2
        elif text.startswith("${", offset):
            (part, offset), literal = _braced(text, offset + 2, depth + 1), False
        elif match := _NAME.match(text, offset + 1):
            part, offset, literal = f'env("{match[0]}", "")', match.end(), False
        else:
            part, offset = "$", offset + 1
        if literal and parts and parts[-1][0]:
            parts[-1] = (True, parts[-1][1] + part)
        else:
            parts.append((literal, part))
    if depth:
        raise Unset("`${` is never closed", "write } after the name, or $$ for a dollar sign")
    return parts, offset


def _braced(text: str, offset: int, depth: int) -> tuple[str, int]:
    match = _NAME.match(text, offset)
    if not match:
        raise Unset("`${` is not followed by a name", "write for example ${TAG:-latest}, or $$ for a dollar sign")
    name, offset = match[0], match.end()
    operator = next((o for o in _OPERATORS if text.startswith(o, offset)), "")
    if not operator:
        if text[offset : offset + 1] != "}":
            raise Unset(f"`${{{name}` is never closed", "write } after the name, or $$ for a dollar sign")
        return f'env("{name}", "")', offset + 1
    parts, end = _parts(text, offset + len(operator), depth)
    return _expression(name, operator, parts), end + 1


def _expression(name: str, operator: str, parts: list[tuple[bool, str]]) -> str:
    words = [f'"{_quoted(one)}"' if literal else f"({one})" for literal, one in parts] or ['""']
    word = words[0] if len(words) == 1 else f"({' ~ '.join(words)})"
    match operator:
        case ":-":
            return f'env("{name}", "") or {word}'
        case "-":
            return f'env("{name}", {word})'
        case ":?":
            return f'env("{name}", required={word})'
        case "?":
            return f'env("{name}")'
        case ":+":
            return f'{word} if env("{name}", "") else ""'
    return f'{word} if env("{name}", "0") == env("{name}", "1") else ""'  # the two defaults give the same value only if it is set


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
