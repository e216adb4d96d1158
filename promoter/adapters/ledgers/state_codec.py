"""States to JSON and back, by the types of their fields. Data that does not match a type is refused."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

from promoter import __version__
from promoter.ledger.state import EnvironmentState, State
from promoter.ledger.table import PersistentTable
from promoter.model.dataclass import dataclass

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")
_SEPARATE = frozenset({"head", "environments"})
"""Fields of a state that are stored separately."""


@dataclass(frozen=True)
class Part:
    """A field: `kind` is its type, or the type of a table's rows."""

    name: str
    kind: Any
    is_table: bool

    @property
    def adapter(self) -> "TypeAdapter[Any]":
        return _adapter(self.kind)

    def value(self, text: str) -> Any:
        """Parse a value. Raise ValueError if it does not match."""
        return self.adapter.validate_json(text)

    def text(self, value: Any) -> str:
        return self.adapter.dump_json(value).decode()


def _parts(owner: type[State] | type[EnvironmentState]) -> tuple[Part, ...]:
    hints = get_type_hints(owner)
    found = []
    for field in fields(owner):
        hint = hints[field.name]
        table = get_origin(hint) is PersistentTable
        if owner is not State or field.name not in _SEPARATE:
            found.append(Part(field.name, get_args(hint)[0] if table else hint, table))
    return tuple(found)


PARTS: Mapping[type, tuple[Part, ...]] = {State: _parts(State), EnvironmentState: _parts(EnvironmentState)}


@cache
def _adapter(kind: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter  # slow to import, and not needed for short ledgers

    return TypeAdapter(kind)


@cache
def form() -> str:
    """Return a version that changes with every stored field."""
    parts = [__version__, *map(repr, PARTS.values())]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def to_json(owner: State | EnvironmentState) -> dict[str, Any]:
    """Return the fields except tables."""
    found = ((part, getattr(owner, part.name)) for part in PARTS[type(owner)] if not part.is_table)
    return {part.name: part.adapter.dump_python(value, mode="json") for part, value in found}


def read(owner: type[T], values: dict[str, Any], table: Callable[[Part], PersistentTable[Any]]) -> T:
    """Read a state; `table` gives each table. Raise ValueError, TypeError or KeyError for values that do not match."""
    found = {
        part.name: table(part) if part.is_table else part.adapter.validate_python(values[part.name]) for part in PARTS[owner]
    }
    return owner(**found)
