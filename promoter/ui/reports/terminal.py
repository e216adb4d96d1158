"""Live progress on a terminal: what ended and the current activities are redrawn in place, and removed at the end.

With `--verbose` every line scrolls, also the output of containers and builds. Lines are cut to the width.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import field
from threading import Lock
from typing import Self, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from promoter.model.dataclass import dataclass
from promoter.promotion import progress as e
from promoter.ui.reports.brief import Brief
from promoter.ui.reports.progress_lines import clean, cut_digests, seconds, sentence

_GOOD = (e.BuildDone, e.Pushed, e.Pinned, e.ReleaseMade)
_DIM = (e.BuildLine, e.StepNote)
_ONLY_DRAWN = (e.BuildStarted, e.StepStarted, e.Waiting)
_KEPT = (e.Notice, e.Restoring, e.Superseded)
"""What stays on the screen: the summary at the end does not repeat it."""
_STATUS_STYLE = {
    "deployed": "green",
    "unchanged": "green",
    "pending": "yellow",
    "failed": "red",
    "rolled_back": "red",
    "refused": "red",
}


@dataclass
class Activity:
    """An activity in progress. `layers` maps a layer to its bytes done and its total."""

    text: str
    since: float
    note: str = ""
    layers: dict[str, tuple[int, int]] = field(default_factory=dict)


class Terminal:
    """A listener that draws. Use as a context manager; the redrawn part is shown only while an activity is in progress."""

    def __init__(
        self, stream: TextIO, brief: Brief | None = None, *, width: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = Console(file=stream, width=width, highlight=False, force_terminal=True)
        self._clock, self._brief = clock, brief
        self._ended: list[Text] = []
        self._lock = Lock()
        self._under_way: dict[tuple[str, str], Activity] = {}
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock, suppress(OSError):
            self._under_way.clear()
            self._ended.clear()
            self._draw()
            for line in self._brief.unfinished() if self._brief else ():
                self._scroll(Text(line, style="dim"))

    def __call__(self, event: e.Event) -> None:
        with self._lock, suppress(OSError):  # a closed terminal must not end a run
            self._follow(event)
            text = None if isinstance(event, _ONLY_DRAWN) else sentence(event)
            if (self._brief is None or self._brief.shows(event)) and text is not None:
                self._show(Text(text, style=_style(event)), event)
            self._draw()

    def _show(self, line: Text, event: e.Event) -> None:
        """Let a line scroll; or keep it above the activities if the summary at the end repeats it."""
        if self._brief is None or isinstance(event, _KEPT):
            self._scroll(line)
        else:
            self._ended.append(line)

    def _scroll(self, line: Text) -> None:
        self._console.print(line, no_wrap=True, overflow="ellipsis", crop=True)

    def picture(self) -> Group:
        """Return the activities, one line each. Takes no lock: rich's thread calls this while it holds its own."""
        activities = list(self._under_way.values())
        drawn = [Text(self._line(a), style="cyan") for a in activities]
        for line in (*self._ended, *drawn):
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*self._ended, *drawn)

    def _line(self, activity: Activity) -> str:
        line = f"  {activity.text}  {seconds(self._clock() - activity.since)}"
        layers = list(activity.layers.values())
        if layers:
            done, total = sum(done for done, _ in layers), sum(total for _, total in layers)
            line += f"  {len(layers)} layers, {size(done)} of {size(total)}"
        return line + (f"  {activity.note}" if activity.note else "")

    def _follow(self, event: e.Event) -> None:
        match event:
            case e.BuildStarted():
                self._begin("build", event.service, f"building {event.service}")
            case e.BuildLine():
                self._note("build", event.service, event.text)
            case e.BuildDone():
                self._end("build", event.service)
            case e.LayerProgress():
                self._layer(event)
            case e.Pushed():
                self._end("push", event.service)
            case e.StepStarted():
                self._begin(event.environment, event.step, cut_digests(f"{event.environment}: {event.step}"))
            case e.StepNote():
                self._note(event.environment, event.step, event.text)
            case e.StepDone() | e.StepFailed():
                self._end(event.environment, event.step)
                self._end("pull", event.step.removeprefix("pull "))
            case e.Waiting():
                self._begin(
                    event.environment, "wait", f"{event.environment}: waiting, up to {seconds(event.seconds)} more, since"
                )
            case e.PromotionStarted():
                self._end(event.environment, "wait")
            case e.EnvironmentEnded():
                for key in [key for key in self._under_way if key[0] == event.environment]:
                    self._end(*key)

    def _begin(self, section: str, name: str, text: str) -> None:
        since = self._under_way[section, name].since if (section, name) in self._under_way else self._clock()
        self._under_way[section, name] = Activity(text, since)

    def _note(self, section: str, name: str, text: str) -> None:
        if (section, name) in self._under_way:
            self._under_way[section, name].note = clean(text)

    def _end(self, section: str, name: str) -> None:
        self._under_way.pop((section, name), None)

    def _layer(self, event: e.LayerProgress) -> None:
        key = (event.verb, event.service)
        if key not in self._under_way:
            self._begin(*key, f"{event.verb}ing {event.service}")
        layers = self._under_way[key].layers
        known = layers.get(event.layer, (0, 0))
        layers[event.layer] = (known[0] if event.current is None else event.current, max(known[1], event.total or 0))

    def _draw(self) -> None:
        if (self._under_way or self._ended) and self._live is None:
            self._live = Live(console=self._console, get_renderable=self.picture, refresh_per_second=8, transient=True)
            self._live.start()
        elif not (self._under_way or self._ended) and self._live is not None:
            self._live.stop()
            self._live = None


def size(count: int) -> str:
    """Format a number of bytes: `812 B`, `3.1 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def _style(event: e.Event) -> str:
    if isinstance(event, e.EnvironmentEnded):
        return _STATUS_STYLE.get(event.status, "")
    if isinstance(event, e.StepFailed):
        return "red"
    return "green" if isinstance(event, _GOOD) else "dim" if isinstance(event, _DIM) else ""
