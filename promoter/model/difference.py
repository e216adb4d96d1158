"""What two documents of plain data differ in, a line each, for people."""

from collections.abc import Mapping


def differences(old: Mapping[str, object], new: Mapping[str, object]) -> tuple[str, ...]:
    """`+ key: value` for what is new, `- key: value` for what is gone, `~ key: old -> new`; keys are dotted paths."""
    before, after = _flat("", old), _flat("", new)
    lines = []
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) == after.get(key):
            continue
        if key not in before:
            lines.append(f"+ {key}: {after[key]}")
        elif key not in after:
            lines.append(f"- {key}: {before[key]}")
        else:
            lines.append(f"~ {key}: {before[key]} -> {after[key]}")
    return tuple(lines)


def _flat(prefix: str, value: object) -> dict[str, str]:
    if isinstance(value, Mapping) and value:
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= _flat(f"{prefix}.{key}" if prefix else str(key), item)
        return found
    if isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
        return _flat(prefix, {str(i + 1): item for i, item in enumerate(value)})
    return {} if value in ({}, [], None) and prefix else {prefix: _say(value)}


def _say(value: object) -> str:
    return " ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
