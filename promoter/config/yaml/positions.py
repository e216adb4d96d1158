"""Data of a text with the position of each part, and diagnostics at a position."""

from collections.abc import Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, NamedTuple

from promoter.config.yaml.scalars import Tagged
from promoter.model.dataclass import dataclass
from promoter.model.errors import Diagnostic

Trail = tuple[str | int, ...]


class Position(NamedTuple):
    """A place in a text. Line and column count from 1."""

    line: int
    column: int


class Marks(NamedTuple):
    key: Position
    value: Position


@dataclass
class Document:
    """`data` with the position of each part. A path holds keys and list indexes, as in `("services", "web", "ports", 0)`."""

    file: str
    text: str
    data: object
    marks: dict[int, dict[str | int, Marks]] = field(default_factory=dict, repr=False)

    def has(self, path: Sequence[str | int]) -> bool:
        return self._follow(path)[1] == len(path)

    def at(self, path: Sequence[str | int]) -> object:
        """Return the value at `path`; None if there is none."""
        current: Any = self.data
        for part in path:
            while isinstance(current, Tagged):
                current = current.value
            if part not in self.marks.get(id(current), {}):
                return None
            current = current[part]
        return current

    def position(self, path: Sequence[str | int], *, of_key: bool = False) -> Position:
        """Return the position of the value at `path` (or its key), or of the nearest enclosing part of the text."""
        marks, reached = self._follow(path)
        if marks is None:
            return Position(1, 1)
        in_map = bool(reached) and isinstance(path[reached - 1], str)
        return marks.key if (of_key and in_map) else marks.value

    def complaint(self, at: Position, message: str, hint: str | None = None) -> Diagnostic:
        line = self._lines[at.line - 1] if at.line <= len(self._lines) else ""
        return _complaint(self.file, line, at, message, hint)

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def _follow(self, path: Sequence[str | int]) -> tuple[Marks | None, int]:
        current: Any = self.data
        found: Marks | None = None
        for depth, part in enumerate(path):
            while isinstance(current, Tagged):
                current = current.value
            inside = self.marks.get(id(current), {}).get(part)
            if inside is None:
                return found, depth
            found, current = inside, current[part]
        return found, len(path)


def complain(file: str, text: str, at: Position, message: str, hint: str | None = None) -> Diagnostic:
    lines = text.split("\n", at.line)
    return _complaint(file, lines[at.line - 1] if at.line <= len(lines) else "", at, message, hint)


def _complaint(file: str, line: str, at: Position, message: str, hint: str | None) -> Diagnostic:
    return Diagnostic(file, at.line, at.column, message, hint, line.replace("\t", " ") if len(line) <= 200 else "")
