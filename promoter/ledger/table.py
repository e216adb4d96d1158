"""A copy-on-write ordered table for data that only grows: frozen outside a fold, and cheap to extend.

Changes of a fold are a layer over the earlier rows, which may be in memory or in a file that is read row by row: a caller
that needs a few rows reads only those.
"""

from collections.abc import Iterator
from math import isqrt
from typing import Generic, Protocol, TypeVar

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)
_MANY = 256


class Rows(Protocol[V_co]):
    """Rows by key, in the order in which they were last set."""

    def get(self, key: str) -> V_co | None: ...

    def backwards(self) -> Iterator[tuple[str, V_co]]:
        """Yield rows, the latest first."""

    def starting_with(self, prefix: str) -> Iterator[tuple[str, V_co]]: ...


class Memory(Generic[V]):
    """`Rows` in a dict that is not changed any more."""

    def __init__(self, rows: dict[str, V]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> V | None:
        return self._rows.get(key)

    def backwards(self) -> Iterator[tuple[str, V]]:
        return reversed(self._rows.items())

    def starting_with(self, prefix: str) -> Iterator[tuple[str, V]]:
        return ((key, value) for key, value in self._rows.items() if key.startswith(prefix))


class PersistentTable(Generic[V]):
    """`changes` over `below`. None in `changes` marks a removed row."""

    __slots__ = ("below", "changes")

    def __init__(self, below: Rows[V], changes: dict[str, V | None] | None = None) -> None:
        self.below = below
        self.changes: dict[str, V | None] = changes or {}

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def __getitem__(self, key: str) -> V:
        value = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PersistentTable) and list(self.backwards()) == list(other.backwards())

    __hash__ = None  # type: ignore[assignment]  # changes, so it has no hash; object declares a method

    def __bool__(self) -> bool:
        return next(self.backwards(), None) is not None

    def __repr__(self) -> str:
        return f"PersistentTable({self.items()})"

    def get(self, key: str) -> V | None:
        return self.changes[key] if key in self.changes else self.below.get(key)

    def backwards(self) -> Iterator[tuple[str, V]]:
        """Yield rows, the latest first."""
        for key in reversed(self.changes):
            value = self.changes[key]
            if value is not None:
                yield key, value
        yield from ((key, value) for key, value in self.below.backwards() if key not in self.changes)

    def starting_with(self, prefix: str) -> list[tuple[str, V]]:
        over = [(key, value) for key, value in self.changes.items() if key.startswith(prefix) and value is not None]
        return [row for row in self.below.starting_with(prefix) if row[0] not in self.changes] + over

    def items(self) -> list[tuple[str, V]]:
        """Yield all rows, the oldest first."""
        return list(self.backwards())[::-1]

    def values(self) -> list[V]:
        return [value for _, value in self.items()]


def empty() -> PersistentTable[V]:
    return PersistentTable(Memory({}))


class Open(Generic[V]):
    """A table during a fold."""

    def __init__(self, table: PersistentTable[V]) -> None:
        self._below = table.below
        self._changes: dict[str, V | None] = dict(table.changes)

    def get(self, key: str) -> V | None:
        return self._changes[key] if key in self._changes else self._below.get(key)

    def put(self, key: str, value: V) -> None:
        """Set the latest row, also if the key existed."""
        self._changes.pop(key, None)
        self._changes[key] = value

    def remove(self, key: str) -> None:
        if self.get(key) is not None:
            self._changes[key] = None

    def frozen(self) -> PersistentTable[V]:
        """Return a frozen table. Many changes are merged in memory, so that a later extension never copies much."""
        over = PersistentTable(self._below, self._changes)
        if isinstance(self._below, Memory) and len(self._changes) > max(_MANY, 4 * isqrt(len(self._below))):
            return PersistentTable(Memory(dict(over.items())))
        return over
