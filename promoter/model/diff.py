"""Differences between two documents of plain data, as lines for people and as data for programs.

Two documents that are different JSON always have at least one change, and different values are shown differently.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from promoter.model.dataclass import dataclass
from promoter.model.visible_text import escaped


class _Absent:
    """No value at a path, which is different from null."""


ABSENT = _Absent()


@dataclass(frozen=True)
class Change:
    """One change. `path` is dotted; unusual keys are quoted, and list indexes count from 1."""

    path: str
    old: object = ABSENT
    new: object = ABSENT

    @property
    def kind(self) -> str:
        return "added" if self.old is ABSENT else "removed" if self.new is ABSENT else "changed"

    def document(self) -> dict[str, object]:
        return {
            "path": self.path,
            "from": None if self.old is ABSENT else self.old,
            "to": None if self.new is ABSENT else self.new,
            "change": self.kind,
        }


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[Change, ...]:
    return tuple(_between("", old, new))


def format_change(change: Mapping[str, Any]) -> str:
    """Show a change as `+ path: value`, `- path: value` or `~ path: old -> new`. Values of secrets are not shown."""
    path, kind = str(change["path"]), change["change"]
    sign = {"added": "+", "removed": "-", "changed": "~"}[kind]
    if path.startswith("secrets."):
        return f"{sign} secret {path.removeprefix('secrets.')}" + (": changed" if kind == "changed" else "")
    values = {"added": ("to",), "removed": ("from",), "changed": ("from", "to")}[kind]
    return f"{sign} {path}: {' -> '.join(format_value(change[value]) for value in values)}"


def format_value(value: object) -> str:
    """Show a value as JSON, or an unambiguous text as it is."""
    if isinstance(value, str) and _is_plain(value):
        return value
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if text.isprintable() else "".join(one if one.isprintable() else escaped(one) for one in text)


def _is_plain(text: str) -> bool:
    if not text or not text.isprintable() or text != text.strip() or " -> " in text:
        return False
    return not _is_json(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _between(path: str, old: object, new: object) -> Iterator[Change]:
    if _same(old, new):
        return
    if _opens(old, new) and _opens(new, old):
        before, after = _entries(old), _entries(new)
        for key in sorted(before.keys() | after.keys()):
            yield from _between(joined(path, key), before.get(key, ABSENT), after.get(key, ABSENT))
    elif _is_list_of_maps(old) and _is_list_of_maps(new):
        for index, (one, other) in enumerate(zip_longest(_items(old), _items(new), fillvalue=ABSENT), 1):
            yield from _between(joined(path, str(index)), one, other)
    else:
        yield Change(path, old, new)


def _same(old: object, new: object) -> bool:
    """Compare as JSON: in Python 1, 1.0 and true are equal, and a tuple is not a list."""
    if old is ABSENT or new is ABSENT:
        return old is new
    return json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)


def _opens(value: object, other: object) -> bool:
    """Return whether parts are shown one by one: if both are mappings, or a non-empty mapping was added or removed."""
    return isinstance(value, Mapping) or (value is ABSENT and bool(other))


def _entries(value: Any) -> dict[str, object]:
    return {} if value is ABSENT else {str(key): item for key, item in value.items()}


def _is_list_of_maps(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, Mapping) for item in value)


def _items(value: Any) -> Sequence[object]:
    return tuple(value)


def joined(path: str, key: str) -> str:
    """Return the path of a key below `path`. An unusual key is quoted."""
    plain = key.isprintable() and key and not any(sign in key for sign in '."\\ :')
    word = key if plain else json.dumps(key)
    return f"{path}.{word}" if path else word
