"""How a report is shown: the width, the time zone, colours and details. Reports are pure; the command line makes the view."""

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal, NamedTuple

from promoter.model.dataclass import dataclass

Style = Literal["good", "bad", "wait", "dim", "bold", ""]
_CODES: dict[str, str] = {"good": "32", "bad": "31", "wait": "33", "dim": "2", "bold": "1"}
SHORT = 7
"""Characters of a release's or a commit's id in tables; the whole id is in `--json` and with `-v`."""
LONG = 12
"""Characters of an id or a digest that people may copy into a command."""

_NARROW = 24
"""Columns that the last column needs; with fewer it goes below the others."""


class Cell(NamedTuple):
    text: str
    style: Style = ""


@dataclass(frozen=True)
class View:
    """`width` is in columns, None for any. `zone` is where times are shown. `options` are those that next commands need."""

    now: datetime
    zone: tzinfo | None = UTC
    width: int | None = None
    colour: bool = False
    verbose: bool = False
    options: str = ""

    def paint(self, text: str, style: Style) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and style and text else text

    def at(self, time: datetime) -> str:
        """Return `05:44:07` for today, else the date too, in the zone of the view."""
        local, today = time.astimezone(self.zone), self.now.astimezone(self.zone)
        if local.date() == today.date():
            return f"{local:%H:%M:%S}"
        return f"{local:%Y-%m-%d %H:%M:%S}"

    def ago(self, time: datetime) -> str:
        """Return how long ago that was: `12 s`, `17 min`, `3 h`, `2 days`."""
        return span(max(self.now - time, timedelta()))

    def moment(self, time: datetime) -> str:
        """Return a time and how long ago it was: `05:44:07, 17 min ago`; with `verbose` the date and time in UTC."""
        return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if self.verbose else f"{self.at(time)}, {self.ago(time)} ago"

    def id(self, identifier: str) -> str:
        """Return the first characters of the id of a release; with `verbose` all of them."""
        return identifier if self.verbose else identifier[:LONG]

    def digest(self, digest: str) -> str:
        """Return the first characters of a digest; with `verbose` all of it."""
        return digest if self.verbose else digest.removeprefix("sha256:")[:LONG]

    def command(self, command: str) -> str:
        """Return a command with the options that it needs for this pipeline."""
        return f"{command} {self.options}".rstrip()

    def cut(self, text: str, columns: int) -> str:
        """Shorten a text on a terminal, without `verbose`."""
        return text if self.width is None or self.verbose or len(text) <= columns else f"{text[: columns - 1]}…"

    def line(self, left: str, right: str = "") -> str:
        """Return a headline, with `right` at the end of the line on a terminal."""
        gap = max(2, (self.width or 80) - len(left) - len(right))
        if self.width is not None and len(left) + gap + len(right) > self.width:
            return "\n".join(self.paint(line, "bold") for line in self.wrap(f"{left}  {right}".rstrip(), first=""))
        return self.paint(left, "bold") + (f"{' ' * gap}{self.paint(right, 'dim')}" if right else "")

    def wrap(self, text: str, indent: str = "  ", first: str | None = None) -> list[str]:
        """Break a text at the width of the terminal. `first` begins its first line in place of `indent`."""
        begin = indent if first is None else first
        if self.width is None:
            return [begin + text]
        width = max(self.width, len(indent) + 20)
        return textwrap.wrap(
            text, width, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False, break_long_words=True
        ) or [begin.rstrip()]

    def table(self, rows: Sequence[Sequence[Cell | str]], indent: str = "  ") -> list[str]:
        """Align columns, two spaces apart. The last column is wrapped at the width of the terminal.

        When not even the other columns fit, they take several lines. A cell of theirs is never broken.
        """
        cells = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
        if not cells:
            return []
        count = len(cells[0])
        widths = [max(len(row[i].text) for row in cells) for i in range(count)]
        start = len(indent) + sum(widths[:-1]) + 2 * (count - 1)
        return [line for row in cells for line in self._row(row, widths, indent, start)]

    def _row(self, row: Sequence[Cell], widths: Sequence[int], indent: str, start: int) -> list[str]:
        *firsts, last = row
        *lines, head = self._packed(firsts, widths, indent)
        if not last.text or lines:
            ending = self.wrap(last.text, f"{indent}    ") if last.text else []
            return [*lines, head.rstrip(), *(self.paint(line, last.style) for line in ending)]
        if self.width is None or start + len(last.text) <= self.width:
            return [head + self.paint(last.text, last.style)]
        below = start > self.width - _NARROW
        lines = self.wrap(last.text, f"{indent}    " if below else " " * start)
        painted = [self.paint(line, last.style) for line in lines]
        return [head.rstrip(), *painted] if below else [head + self.paint(lines[0][start:], last.style), *painted[1:]]

    def _packed(self, cells: Sequence[Cell], widths: Sequence[int], indent: str) -> list[str]:
        """Put cells into as few lines as fit the terminal."""
        lines, used = [indent], len(indent)
        for cell, width in zip(cells, widths, strict=False):
            if self.width is not None and used > len(indent) and used + len(cell.text) > self.width:
                lines[-1] = lines[-1].rstrip()
                lines.append(f"{indent}    ")
                used = len(indent) + 4
            lines[-1] += self._padded(cell, width)
            used += width + 2
        return lines

    def _padded(self, cell: Cell, width: int) -> str:
        return self.paint(cell.text, cell.style) + " " * (width + 2 - len(cell.text))


def span(length: timedelta) -> str:
    """Return a length of time in its largest unit: `12 s`, `17 min`, `3 h`, `2 days`."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 2 * 86400:
        return f"{seconds // 3600} h"
    return f"{seconds // 86400} days"
