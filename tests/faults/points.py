"""Kill points: before and after every call by which a run changes or reads the outside, numbered and named in order.

`wrapped` adds such points to a port. In tests with fakes, death is an exception that nothing catches, after which no
call of the dead process has any effect. In a real process it is SIGKILL.
"""

import threading
from collections.abc import Callable
from typing import Any

READS = frozenset(
    f"{port}.{verb}"
    for port, verbs in {
        "engine": (
            "inspect",
            "find",
            "identify",
            "labels_by_name",
            "published_ports",
            "listening_ports",
            "logs",
            "digest_of",
            "has_image",
            "image_volumes",
        ),
        "ledger": ("read",),
        "registry": ("ping", "resolve"),
    }.items()
    for verb in verbs
)
"""Calls that change nothing outside."""


def fatal(names: list[str]) -> list[tuple[int, str]]:
    """Return the points that lead to different states, with their numbers: the first, and the one after each change.

    A killed process keeps nothing. So being killed anywhere between two changes leads to the same state.
    """
    changed = (name.startswith("after ") and name.removeprefix("after ") not in READS for name in names)
    return [(number, name) for number, (name, is_new) in enumerate(zip(names, changed, strict=True), 1) if number == 1 or is_new]


def edges(names: list[str]) -> list[tuple[int, str]]:
    """Return the points around each change, with their numbers: right after the change before it, and right before it."""
    after = {number for number, _ in fatal(names)}
    before = {number - 1 for number in after}
    return [(number, name) for number, name in enumerate(names, 1) if number in after or number in before or number + 1 in before]


class Dead(BaseException):
    """Raised where the process is killed."""


class Points:
    """Count points. Kill at the point with number `at`; None kills at no point."""

    def __init__(self, at: int | None = None, die: Callable[[], None] | None = None) -> None:
        self.at, self.names = at, list[str]()
        self._die, self._dead = die, False

    def reach(self, name: str) -> None:
        if self._dead:
            raise Dead
        self.names.append(name)
        if len(self.names) == self.at:
            self._end()

    def _end(self) -> None:
        self._dead = True
        if self._die is not None:
            self._die()
        raise Dead

    def wrapped(self, port: Any, name: str, verbs: tuple[str, ...] = ()) -> Any:
        """Return `port` with points around its calls: the named ones, or all."""
        return _Wrapped(port, name, verbs, self)


class _Wrapped:
    def __init__(self, port: Any, name: str, verbs: tuple[str, ...], points: Points) -> None:
        self._port, self._name, self._verbs, self._points = port, name, verbs, points

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._port, attribute)
        if not callable(value) or attribute.startswith("_") or (self._verbs and attribute not in self._verbs):
            return value

        def call(*words: Any, **named: Any) -> Any:
            self._points.reach(f"before {self._name}.{attribute}")
            answer = value(*words, **named)
            self._points.reach(f"after {self._name}.{attribute}")
            return answer

        return call


def unwrapped(port: Any) -> Any:
    return port._port if isinstance(port, _Wrapped) else port


class Pauses(Points):
    """Stop at a point while other processes act, and then continue as if nothing had happened."""

    def __init__(self, at: int | None, meanwhile: Callable[[], object]) -> None:
        super().__init__(at)
        self._meanwhile = meanwhile
        self._paused = 0
        self._later: list[tuple[int, str]] | None = None

    def reach(self, name: str) -> None:
        if self._later is not None:
            self._later.append((threading.get_ident(), name))
        super().reach(name)

    def _end(self) -> None:
        self._paused = threading.get_ident()
        self._meanwhile()
        self._later = []

    def late(self, changes: tuple[str, ...]) -> list[str]:
        """Return changes that began after the pause, except the first of each other thread: its check may precede the pause."""
        wanted = {f"before engine.{verb}" for verb in changes}
        started = [(thread, name) for thread, name in self._later or () if name in wanted]
        on_its_way = {thread: number for number, (thread, _) in reversed(list(enumerate(started))) if thread != self._paused}
        return [name for number, (_, name) in enumerate(started) if number not in on_its_way.values()]
