"""Events of parallel work, written one section after the other: a section is complete before the next begins.

The section that began first is written live; the others are buffered. An environment that only waits at a gate
does not delay others. The sink decides how a section looks.
"""

from dataclasses import field
from threading import RLock
from typing import Protocol, Self

from promoter.model.dataclass import dataclass
from promoter.promotion import progress as e
from promoter.ui.reports.progress_lines import sentence

Key = tuple[str, str]


class Sink(Protocol):
    """The log of a CI platform: sections that do not nest, and lines in and between them."""

    def open(self, title: str) -> None:
        """Begin a section."""

    def line(self, text: str) -> None:
        """Write one line, in the open section or outside of any."""

    def close(self) -> None:
        """End the open section."""


@dataclass
class _Lane:
    """Buffered lines, each with its section. `section` is the current section of an environment."""

    section: str
    lines: list[tuple[str | None, str]] = field(default_factory=list)
    ended: bool = False
    waits: bool = False


class Lanes:
    """A listener. Use as a context manager: at its end all buffered lines are written."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lock = RLock()
        self._lanes: dict[Key, _Lane] = {}
        self._current: Key = ("", "")
        self._open: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            for lane in self._lanes.values():
                self._print(lane)
            self._lanes.clear()
            self._within(None)

    def __call__(self, event: e.Event) -> None:
        text = sentence(event)
        if text is None:
            return
        with self._lock:
            self._put(event, text)
            while (key := self._foremost()) is not None:
                self._current, lane = key, self._lanes[key]
                self._print(lane)
                if lane.ended:
                    del self._lanes[key]
                elif not lane.waits:
                    break

    def _put(self, event: e.Event, text: str) -> None:
        match event:
            case e.BuildStarted() | e.BuildLine() | e.BuildDone() | e.Pushed():
                lane = self._lane(("service", event.service), f"build {event.service}")
                lane.ended = isinstance(event, e.Pushed)
            case e.Pinned() | e.ReleaseMade() | e.Notice() | e.LayerProgress():
                lane = self._lane(("alone", text), "")
                lane.ended = True
            case _:
                lane = self._lane(("environment", event.environment), f"{event.environment}: gates")
                lane.ended, lane.waits = isinstance(event, e.EnvironmentEnded), isinstance(event, e.Waiting)
                if isinstance(event, e.PromotionStarted):
                    lane.section = f"{event.environment}: promotion of {event.release.short_id}"
        alone = isinstance(event, e.Pinned | e.ReleaseMade | e.Notice | e.EnvironmentEnded)
        lane.lines.append((None if alone else lane.section, text))

    def _lane(self, key: Key, section: str) -> _Lane:
        return self._lanes.setdefault(key, _Lane(section))

    def _foremost(self) -> Key | None:
        """Return the lane to write: the current one, unless it only waits."""
        if self._current in self._lanes and not self._lanes[self._current].waits:
            return self._current
        going = (key for key, lane in self._lanes.items() if not lane.waits)
        waiting = (key for key, lane in self._lanes.items() if lane.lines)
        return next(going, None) or next(waiting, None)

    def _print(self, lane: _Lane) -> None:
        for section, text in lane.lines:
            self._within(section)
            self._sink.line(text)
        lane.lines.clear()

    def _within(self, section: str | None) -> None:
        if section == self._open:
            return
        if self._open is not None:
            self._sink.close()
        if section is not None:
            self._sink.open(section)
        self._open = section
