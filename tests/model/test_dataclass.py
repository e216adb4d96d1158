"""The dataclass that is completed at its first use behaves as the standard one, whatever the first use is."""

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from functools import cached_property
from threading import Barrier, Thread
from typing import Any

import pytest

from promoter.model.dataclass import dataclass as lazy

Decorator = Callable[..., Any]


def made(decorator: Decorator) -> dict[str, Any]:
    """Return classes of every shape that the project uses."""

    @decorator(frozen=True)
    class Point:
        x: int
        y: int = 0
        names: list[str] = field(default_factory=list)

    @decorator(frozen=True)
    class Named(Point):
        name: str = "n"

    @decorator(frozen=True, kw_only=True)
    class Keyed:
        a: int
        b: str = "b"

    @decorator
    class Counter:
        start: int
        seen: dict[str, int] = field(default_factory=dict, repr=False)
        total: int = field(init=False)

        def __post_init__(self) -> None:
            self.total = self.start

    @decorator(frozen=True, order=True)
    class Version:
        major: int
        minor: int = 0
        note: str = field(default="", compare=False)

    @decorator(frozen=True)
    class Empty:
        pass

    @decorator(frozen=True)
    class Spoken:
        text: str

        def __repr__(self) -> str:
            return self.text

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    return {cls.__name__: cls for cls in (Point, Named, Keyed, Counter, Version, Empty, Spoken)}


USES: dict[str, Callable[[dict[str, Any]], object]] = {
    "positional": lambda c: c["Point"](1, 2, ["a"]),
    "defaults": lambda c: c["Point"](1),
    "keywords": lambda c: c["Point"](y=2, x=1),
    "inherited": lambda c: c["Named"](1, name="z"),
    "keyword-only": lambda c: c["Keyed"](a=1),
    "keyword-only by position": lambda c: c["Keyed"](1),
    "missing": lambda c: c["Point"](),
    "missing keyword": lambda c: c["Keyed"](),
    "unknown": lambda c: c["Point"](1, z=2),
    "too many": lambda c: c["Empty"](1),
    "after init": lambda c: vars(c["Counter"](4)),
    "hidden in repr": lambda c: c["Counter"](4, {"a": 1}),
    "no fields": lambda c: (c["Empty"](), c["Empty"]() == c["Empty"]()),
    "own methods": lambda c: (c["Spoken"]("hello"), hash(c["Spoken"]("a")), c["Spoken"]("a") == 3),
    "equal": lambda c: c["Point"](1) == c["Point"](1, 0),
    "unequal": lambda c: c["Point"](1) == c["Point"](2),
    "equal to a subclass": lambda c: c["Point"](1) == c["Named"](1),
    "equal to another type": lambda c: c["Point"](1) == 1,
    "not compared": lambda c: c["Version"](1, note="a") == c["Version"](1, note="b"),
    "same hash": lambda c: len({c["Version"](1, note="a"), c["Version"](1), c["Version"](2)}),
    "hash of a list": lambda c: hash(c["Point"](1)),
    "hash of a mutable class": lambda c: hash(c["Counter"](1)),
    "order": lambda c: (sorted([c["Version"](2), c["Version"](1, 5)]), c["Version"](1) <= c["Version"](1)),
    "order of another type": lambda c: c["Version"](1) < c["Point"](1),
    "order without order": lambda c: c["Point"](1) < c["Point"](2),
    "own defaults": lambda c: c["Point"](1).names is c["Point"](1).names,
    "set": lambda c: setattr(c["Point"](1), "x", 2),
    "set what is no field": lambda c: setattr(c["Point"](1), "other", 2),
    "delete": lambda c: delattr(c["Point"](1), "x"),
    "set in a mutable class": lambda c: setattr(c["Counter"](1), "start", 2),
    "replace": lambda c: dataclasses.replace(c["Named"](1), y=9),
    "replace what is no field": lambda c: dataclasses.replace(c["Named"](1), other=9),
    "asdict": lambda c: dataclasses.asdict(c["Named"](1, names=["a"])),
    "fields of the class": lambda c: [(one.name, one.init, one.kw_only) for one in dataclasses.fields(c["Counter"])],
    "is a dataclass": lambda c: (dataclasses.is_dataclass(c["Keyed"]), dataclasses.is_dataclass(c["Keyed"](a=1))),
    "default on the class": lambda c: c["Point"].y,
    "copy": lambda c: copy.copy(c["Point"](3)),
    "deep copy": lambda c: copy.deepcopy(c["Point"](3, names=["a"])).names,
    "match": lambda c: list(c["Named"].__match_args__) if c["Named"](1) else None,
}


@pytest.mark.parametrize("use", USES)
def test_each_use_gives_what_the_standard_decorator_gives(use: str) -> None:
    assert _outcome(USES[use], made(lazy)) == _outcome(USES[use], made(dataclasses.dataclass))


def _outcome(use: Callable[[dict[str, Any]], object], classes: dict[str, Any]) -> str:
    try:
        return repr(use(classes))
    except (TypeError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"


def test_an_unused_class_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the class was completed")

    monkeypatch.setattr(dataclasses, "dataclass", refused)
    point = made(lazy)["Point"]
    with pytest.raises(AssertionError, match="the class was completed"):
        point(1)


def test_a_subclass_without_the_decorator_calls_the_first_init_once() -> None:
    calls = []

    class Loud(made(lazy)["Counter"]):
        def __init__(self, start: int) -> None:
            calls.append(start)
            super().__init__(start + 1)

    assert (Loud(1).total, calls) == (2, [1])


def test_a_cached_property_works_on_a_frozen_class() -> None:
    @lazy(frozen=True)
    class Squared:
        x: int

        @cached_property
        def square(self) -> list[int]:
            return [self.x * self.x]

    one = Squared(3)
    assert one.square is one.square
    with pytest.raises(FrozenInstanceError):
        one.x = 4
    assert one == Squared(3)


def test_many_threads_can_make_the_first_instance() -> None:
    for _ in range(50):
        named, start, seen = made(lazy)["Named"], Barrier(4), []

        def first(cls: Any = named, start: Barrier = start, seen: list[Any] = seen) -> None:
            start.wait()
            seen.append(cls(1, name="t"))

        threads = [Thread(target=first) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [named(1, name="t")] * 4
