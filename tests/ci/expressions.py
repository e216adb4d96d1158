"""The few GitHub expressions that this project's action and workflows use: paths, literals, `==` `!=` `&&` `||` `!`, calls.

Anything else is refused, so that no test passes on an expression that was not understood.
"""

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>\d+)|(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(?P<sign>==|!=|&&|\|\||[!(),]))"
)
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def fill(text: str, contexts: Mapping[str, Any]) -> str:
    """Replace every `${{ … }}` by its value, as text."""
    return _HOLE.sub(lambda hole: as_text(evaluate(hole[1], contexts)), text)


def holds(condition: str, contexts: Mapping[str, Any]) -> bool:
    """Evaluate an `if:`, with or without its braces. Without a status function, `success()` is added."""
    bare = condition.strip().removeprefix("${{").removesuffix("}}")
    output = bool(evaluate(bare, contexts))
    return output if re.search(r"\b(always|success|failure|cancelled)\(\)", bare) else output and contexts["success"]


def as_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
    return str(value)


def evaluate(text: str, contexts: Mapping[str, Any]) -> Any:
    parser = _Parser(text, contexts)
    value = parser.either()
    assert parser.position == len(text.rstrip()), f"not understood: {text[parser.position :]!r} in {text!r}"
    return value


class _Parser:
    def __init__(self, text: str, contexts: Mapping[str, Any]) -> None:
        self.text, self.contexts, self.position = text, contexts, 0

    def either(self) -> Any:
        left = self.both()
        while self._sign("||"):
            right = self.both()
            left = left or right
        return left

    def both(self) -> Any:
        left = self.same()
        while self._sign("&&"):
            right = self.same()
            left = left and right
        return left

    def same(self) -> Any:
        left = self.one()
        for sign in ("==", "!="):
            if self._sign(sign):
                return (_loose(left) == _loose(self.one())) is (sign == "==")
        return left

    def one(self) -> Any:
        if self._sign("!"):
            return not self.one()
        if self._sign("("):
            value = self.either()
            assert self._sign(")"), f"no ) in {self.text!r}"
            return value
        token = self._next()
        if token["text"] is not None:
            return token["text"][1:-1].replace("''", "'")
        if token["number"] is not None:
            return int(token["number"])
        return self._call(token["name"]) if self._sign("(") else self._path(token["name"])

    def _call(self, name: str) -> Any:
        arguments = []
        while not self._sign(")"):
            arguments.append(self.either())
            self._sign(",")
        match name, arguments:
            case "always", []:
                return True
            case "success", []:
                return self.contexts["success"]
            case "failure", []:
                return not self.contexts["success"]
            case "format", [form, *values]:
                return re.sub(r"\{(\d+)\}", lambda match: as_text(values[int(match[1])]), form)
        raise AssertionError(f"the function {name} is not known here")

    def _path(self, path: str) -> Any:
        if path in {"true", "false", "null"}:
            return {"true": True, "false": False, "null": None}[path]
        value: Any = self.contexts
        first, *rest = path.split(".")
        assert first in value, f"no context {first!r} here"
        value = value[first]
        for name in rest:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _next(self) -> re.Match[str]:
        token = _TOKEN.match(self.text, self.position)
        assert token is not None, f"not understood: {self.text[self.position :]!r}"
        assert token["sign"] is None, f"{token['sign']!r} is out of place in {self.text!r}"
        self.position = token.end()
        return token

    def _sign(self, sign: str) -> bool:
        token = _TOKEN.match(self.text, self.position)
        if token is None or token["sign"] != sign:
            return False
        self.position = token.end()
        return True


def _loose(value: Any) -> Any:
    """Prepare a value for comparison as GitHub does: text without case."""
    return value.lower() if isinstance(value, str) else as_text(value)
