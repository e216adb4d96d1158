"""The shapes of the pipeline file in words: their order, and of each key its type and default. For docs/generate.py."""

import json
import re
from collections.abc import Mapping
from typing import Any

ROOTS = ("FileForm", "EnvironmentForm", "Written", "Build", "CheckForm", "GateForm")
"""Of the pipeline file's shapes those that stand first, in this order; the rest follows in the order of their use."""
NAMES = {
    "FileForm": "The top of the file",
    "EnvironmentForm": "An environment",
    "Written": "A service",
    "CheckForm": "A check",
    "GateForm": "A gate",
}
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "yes or no"}
_PLAIN = set(_TYPES.values())


def in_order(forms: Mapping[str, Any]) -> list[str]:
    order = list(ROOTS)
    for name in order:
        own = json.dumps({key: value for key, value in forms[name].items() if key != "$defs"})
        order += [one for one in dict.fromkeys(re.findall(r"#/\$defs/(\w+)", own)) if one not in order]
    return order


def kind(node: Mapping[str, Any], forms: Mapping[str, Any]) -> str:
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if "enum" in forms[name]:
            return kind(forms[name], forms)
        title = NAMES.get(name, spaced(name))
        return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
    if "anyOf" in node:
        kinds = list(dict.fromkeys(kind(one, forms) for one in node["anyOf"] if one.get("type") != "null"))
        return " or ".join(["any plain value"] if set(kinds) == _PLAIN else kinds)
    if "enum" in node or "const" in node:
        return ", ".join(f"`{one}`" for one in node.get("enum", [node.get("const")]))
    match node.get("type"):
        case "array":
            return f"list of {kind(node['items'], forms)}" if "items" in node else "list"
        case "object":
            inner = node.get("additionalProperties")
            return f"map to {kind(inner, forms)}" if isinstance(inner, dict) and inner else "map"
    return _TYPES.get(str(node.get("type")), "anything")


def default(node: Mapping[str, Any], *, must: bool) -> str:
    if must:
        return "must be there"
    value = node.get("default")
    if isinstance(value, dict):
        value = next((key for key, inner in value.items() if inner is not None), None)
    return (
        "-" if value in (None, [], {}, "") else f"`{json.dumps(value, ensure_ascii=False)}`".replace('`"', "`").replace('"`', "`")
    )


def spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Form")).capitalize()
