"""`dataclass` as in the standard library, but a class is completed when it is first used.

The standard decorator compiles six methods for each class, which takes 0.4 to 1 ms. A command imports 150 to 350 classes and
uses some of them: this was a quarter of the time before the first request. Here the decorator only notes the class. Its first
instance, or the first that asks for its fields, completes it. Only `__init__` is compiled; the other methods are shared.

Type checkers see the standard decorator. `slots` and `InitVar` are not supported.
"""

import dataclasses
import operator
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError
from reprlib import recursive_repr
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

__all__ = ["dataclass"]

_lock = RLock()

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, order: bool = False, kw_only: bool = False) -> Any:
        """Make the class a dataclass at its first use; the options are those of `dataclasses.dataclass`."""

        def note(noted: type) -> type:
            pending = _Pending(noted, frozen=frozen, order=order, kw_only=kw_only)
            noted.__dataclass_fields__ = pending
            noted.__init__ = pending.first_init()
            return noted

        return note if cls is None else note(cls)


class _Pending:
    """What is known of a class until it is complete. It is the class's `__dataclass_fields__`, so that reading completes it."""

    def __init__(self, cls: type, *, frozen: bool, order: bool, kw_only: bool) -> None:
        self.cls: Any = cls
        self.frozen = frozen
        self.order = order
        self.kw_only = kw_only

    def __get__(self, instance: object, owner: type) -> dict[str, Field[Any]]:
        self.complete()
        fields: dict[str, Field[Any]] = self.cls.__dataclass_fields__
        return fields

    def first_init(self) -> Callable[..., None]:
        def init(instance: object, *args: Any, **kwargs: Any) -> None:
            self.complete()
            self.cls.__init__(instance, *args, **kwargs)

        return init

    def complete(self) -> None:
        with _lock:
            if self.cls.__dict__["__dataclass_fields__"] is not self:
                return  # another thread was first
            doc = self.cls.__doc__
            self.cls.__doc__ = doc or self.cls.__name__  # without one, the standard library writes a signature, which is slow
            dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=self.kw_only)(self.cls)
            self.cls.__doc__ = doc
            fields = dataclasses.fields(self.cls)
            for name, method in {**_comparisons(fields, order=self.order), "__repr__": _repr}.items():
                if name not in self.cls.__dict__:
                    setattr(self.cls, name, method)
            if self.frozen:
                self.cls.__setattr__, self.cls.__delattr__ = _refuse_set, _refuse_delete
            if self.cls.__dict__.get("__hash__") is None:
                self.cls.__hash__ = _hash(fields) if self.frozen else None
            self.cls.__init__ = _init(self.cls, fields, frozen=self.frozen)  # last: other threads call the first one until now


def _init(cls: type, fields: tuple[Field[Any], ...], *, frozen: bool) -> Callable[..., None]:
    """Compile `__init__`: arguments in the order of the fields, keyword-only ones last, each set once, then `__post_init__`."""
    values: dict[str, Any] = {"MISSING": MISSING, "set_": object.__setattr__}
    positional, keywords, body = ["self"], ["*"], []
    for field in fields:
        if field.default is not MISSING:
            values[f"default_{field.name}"] = field.default
        if field.default_factory is not MISSING:
            values[f"factory_{field.name}"] = field.default_factory
        if field.init:
            (keywords if field.kw_only else positional).append(_parameter(field))
        if (value := _value(field)) is not None:
            body.append(f"set_(self, {field.name!r}, {value})" if frozen else f"self.{field.name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(positional + (keywords if len(keywords) > 1 else []))
    exec(f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), values)  # noqa: S102 -- as the standard library does
    made: Callable[..., None] = values["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return made


def _parameter(field: Field[Any]) -> str:
    if field.default_factory is not MISSING:
        return f"{field.name}=MISSING"
    return field.name if field.default is MISSING else f"{field.name}=default_{field.name}"


def _value(field: Field[Any]) -> str | None:
    """Return the expression that a field is set to; None where it has none, because `init` is off and there is no factory."""
    made = f"factory_{field.name}()"
    if not field.init:
        return None if field.default_factory is MISSING else made
    return field.name if field.default_factory is MISSING else f"{made} if {field.name} is MISSING else {field.name}"


def _key(names: list[str]) -> Callable[[Any], Any]:
    return operator.attrgetter(*names) if names else lambda _: ()


def _comparisons(fields: tuple[Field[Any], ...], *, order: bool) -> dict[str, Callable[[Any, Any], Any]]:
    key = _key([field.name for field in fields if field.compare])

    def method(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        return lambda one, other: compare(key(one), key(other)) if other.__class__ is one.__class__ else NotImplemented

    names = ("eq", "lt", "le", "gt", "ge") if order else ("eq",)
    return {f"__{name}__": method(getattr(operator, name)) for name in names}


def _hash(fields: tuple[Field[Any], ...]) -> Callable[[Any], int]:
    key = _key([field.name for field in fields if (field.compare if field.hash is None else field.hash)])
    return lambda instance: hash(key(instance))


@recursive_repr()
def _repr(instance: Any) -> str:
    shown = (f"{field.name}={getattr(instance, field.name)!r}" for field in dataclasses.fields(instance) if field.repr)
    return f"{type(instance).__qualname__}({', '.join(shown)})"


def _refuse_set(_instance: object, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(_instance: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
