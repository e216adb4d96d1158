"""Validation errors in plain sentences: those of pydantic and our own, with the path inside the value."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from promoter.config.spec import Shape
from promoter.config.yaml.scalars import kind_of
from promoter.model.dataclass import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Fault:
    """One error. `at` is the path inside the value; `on_key` means that the key is wrong, not its value.

    `dropped` means that the value is left out with a remark only; `instead` then replaces it.
    """

    at: Path
    message: str
    hint: str | None = None
    on_key: bool = False
    dropped: bool = False
    instead: str | None = None


class Misfit(ValueError):
    """Raised by our own readers, with one or several faults of a value."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.message for fault in faults))
        self.faults = faults


def misfit(message: str, hint: str | None = None, at: Path = ()) -> Misfit:
    return Misfit(Fault(at, message, hint))


def unknown_key(key: str, known: Iterable[str], at: Path) -> Fault:
    """Return the fault of an unknown key, with the nearest known key as its hint."""
    return Fault(at, f"unknown key `{key}`", nearest(key, known, "known keys"), on_key=True)


def nearest(name: str, known: Iterable[str], otherwise: str) -> str | None:
    """Return a hint with the most similar name, or with all known names."""
    names = [str(n) for n in known]
    near = get_close_matches(name, names, 1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"{otherwise}: {', '.join(names[:40])}" if names else None


def without(value: Any, faults: Iterable[Fault]) -> Any:
    """Return a copy of `value` with dropped parts removed or replaced."""
    for fault in faults:
        value = _without(value, fault.at, fault.instead)
    return value


def _without(value: Any, path: Path, instead: str | None) -> Any:
    if not path:
        return instead
    changed: Any = list(value) if isinstance(value, list | tuple) else dict(value)
    if len(path) == 1 and instead is None:
        del changed[path[0]]
    else:
        changed[path[0]] = _without(changed[path[0]], path[1:], instead)
    return changed


def faults_of(error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    """Yield every error of one validation of `model` as a fault with its path."""
    for problem in error.errors(include_url=False):
        path: Path = tuple(problem["loc"])
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, Misfit):
            yield from (replace(f, at=(*path, *f.at)) for f in cause.faults)
        else:
            yield _fault(problem, path, model, cause)


def _fault(problem: Any, path: Path, model: type[BaseModel], cause: object) -> Fault:
    kind, name = problem["type"], _name(path)
    if kind == "extra_forbidden":
        owner = _model_at(model, path[:-1])
        found = owner.unsupported(str(path[-1])) if issubclass(owner, Shape) else None
        if found and found.dropped:
            return Fault(path, f"`{path[-1]}` is left out: {found.why}", on_key=True, dropped=True)
        if found:
            return Fault(path, f"`{path[-1]}` is not supported: {found.why}", found.instead, on_key=True)
        return unknown_key(str(path[-1]), _keys(owner), path)
    if kind == "missing":
        return Fault(path[:-1], f"`{path[-1]}` is missing", f"add `{path[-1]}: …`")
    if cause is not None:
        return Fault(path, str(cause))
    expected, hint = _expected(kind, problem.get("ctx", {}))
    return Fault(path, f"{name} must be {expected}, got {kind_of(problem['input'])}", hint)


_PATTERNS = {
    r"^https?://(\S|\{\{ secret\('[^']*'\) \}\})+$": "an address that begins with http:// or https://",
    r"^https?://([^\s?#]|\{\{ secret\('[^']*'\) \}\})+$": "a server address that begins with http:// or https://, without ? or #",
    r"^[A-Z]+$": "a word such as GET",
}


def _expected(kind: str, context: dict[str, Any]) -> tuple[str, str | None]:
    """Return what pydantic expected, and a hint, for an error of this kind."""
    match kind:
        case "string_type":
            return "a string", "put quotes around it"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "a whole number", None
        case "float_type" | "float_parsing" | "finite_number":
            return "a number", None
        case "bool_type" | "bool_parsing":
            return "true or false", None
        case "greater_than_equal" | "greater_than" | "less_than_equal" | "less_than":
            word = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
            return next(f"{word[k]} {v}" for k, v in context.items() if k in word), None
        case "literal_error" | "enum":
            return "one of " + context["expected"].replace("'", "").replace(" or ", ", "), None
        case "string_pattern_mismatch":
            return _PATTERNS.get(context["pattern"], f"text of the form {context['pattern']}"), None
        case "tuple_type" | "list_type" | "set_type":
            return "a list", "write for example [a, b]"
        case "dict_type" | "model_type" | "model_attributes_type" | "mapping_type":
            return "a mapping", "write `key: value` pairs, one a line"
        case "string_too_short":
            return "a non-empty string", None
        case "too_short":
            return f"a list with at least {context.get('min_length', 1)} entries", None
    if kind.startswith("date"):
        return "a date such as 2026-12-18", None
    return f"a valid value ({kind})", None


def _name(path: Path) -> str:
    if not path:
        return "this"
    return (
        f"`{path[-1]}`" if isinstance(path[-1], str) else f"entry {path[-1] + 1} of `{path[-2] if len(path) > 1 else 'the list'}`"
    )


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """Return the model that reads the value at `path`; `model` itself if it cannot be found."""
    current: Any = model
    for part in path:
        current = _inner(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            found = next((f for n, f in current.model_fields.items() if (f.alias or n) == part), None)
            current = found.annotation if found else None
        else:
            arguments = get_args(current)
            current = arguments[1] if get_origin(current) is dict else arguments[0] if arguments else None
    current = _inner(current)
    return current if isinstance(current, type) and issubclass(current, BaseModel) else model


def _inner(annotation: Any) -> Any:
    """Strip Annotated and `| None` from an annotation."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(a for a in get_args(annotation) if a is not type(None))
        else:
            return annotation
