"""Compose's merge rules for overrides, on canonical values: a later file changes what an earlier one has.

Mappings are merged key by key, lists are appended, a few values are replaced whole, and entries of some lists are matched by
their target. `!reset` removes a value, `!override` replaces it whole.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

Path = tuple[str | int, ...]
Marks = Mapping[Path, Literal["reset", "override"]]
Canonical = dict[str, Any]

REPLACED = frozenset({("command",), ("entrypoint",), ("healthcheck", "test")})
_Key = Callable[[Mapping[str, Any]], object]
_BY: Mapping[Path, _Key] = {
    ("ports",): lambda p: (p.get("host_ip"), p["target"], p.get("published"), p.get("protocol", "tcp")),
    ("volumes",): lambda m: m["target"],
    ("devices",): lambda d: d["target"],
    ("secrets",): lambda g: g["target"],
    ("configs",): lambda g: g["target"],
    ("env_file",): lambda f: f["path"],
}
DISTINCT = frozenset(
    {
        "cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "expose", "extra_hosts", "group_add", "links", "profiles",
        "security_opt", "tmpfs", "device_cgroup_rules", "external_links", "volumes_from",
    }
)  # fmt: skip # several short names in a line


def merge(base: Canonical, over: Canonical, marks: Marks | None = None) -> Canonical:
    """Return `over` merged over `base`, without changing either."""
    return _merge_maps(base, over, (), marks or {})


def _merge_maps(base: Canonical, over: Canonical, path: Path, marks: Marks) -> Canonical:
    merged = dict(base)
    for key, value in over.items():
        inner = (*path, key)
        if marks.get(inner) == "override" or key not in base:
            merged[key] = value
        elif marks.get(inner) != "reset":
            merged[key] = _merge(base[key], value, inner, marks)
    for marked, mark in marks.items():
        if mark == "reset" and marked[:-1] == path:
            merged.pop(marked[-1], None)  # type: ignore[arg-type]  # the last part in a mapping is a key
    if marks:
        _reset_below(merged, over, path, marks)
    return merged


def _reset_below(merged: Canonical, over: Canonical, path: Path, marks: Marks) -> None:
    """Apply resets inside a mapping that the override does not change otherwise."""
    for marked in marks:
        if len(marked) > len(path) + 1 and marked[: len(path)] == path:
            key = marked[len(path)]
            if isinstance(key, str) and key not in over and isinstance(merged.get(key), dict):
                merged[key] = _merge_maps(merged[key], {}, (*path, key), marks)


def _merge(base: Any, over: Any, path: Path, marks: Marks) -> Any:
    if path in REPLACED or (path == ("logging",) and _another_driver(base, over)):
        return over
    if isinstance(base, dict) and isinstance(over, dict):
        return _merge_maps(base, over, path, marks)
    if isinstance(base, list | tuple) and isinstance(over, list | tuple):
        if path in _BY:
            return _merge_entries(base, over, _BY[path])
        if path[0] in DISTINCT:
            return tuple(dict.fromkeys((*base, *over)))
        return (*base, *over)
    return over


def _another_driver(base: Canonical, over: Canonical) -> bool:
    """Replace the options if the log driver changes: options of one driver have no meaning for another."""
    drivers = {layer["driver"] for layer in (base, over) if layer.get("driver")}
    return len(drivers) == 2


def _merge_entries(base: Any, over: Any, key: _Key) -> tuple[Any, ...]:
    """Merge entries with the same target: the later one adds to the earlier."""
    entries: dict[object, Any] = {}
    for entry in (*base, *over):
        entries[key(entry)] = {**entries.get(key(entry), {}), **entry}
    return tuple(entries.values())
