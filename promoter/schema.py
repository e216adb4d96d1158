"""The JSON Schema of the pipeline file, made from the shapes that read it. Editors complete from it.

Wherever a number, a word of a list or a patterned text is due, a template may stand too; and what null says, is nothing.
"""

import copy
from functools import cache
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEMPLATE = {"type": "string", "pattern": r"\{[{%#]"}
_NARROW = ("pattern", "enum", "const", "format")
_EXTENSION = {"^x-": {}}


def schema() -> dict[str, Any]:
    """A fresh copy."""
    return copy.deepcopy(_schema())


@cache
def _schema() -> dict[str, Any]:
    from promoter.adapters.pipeline_file.shapes import FileForm

    found = FileForm.model_json_schema(by_alias=True, mode="validation")
    made: dict[str, Any] = _open(found)
    definitions = made.pop("$defs")
    for name in ("GateForm", "CheckForm"):
        definitions[name] |= {"minProperties": 1}
    definitions["Strategy"] = _strategy()
    for shape in (definitions["EnvironmentForm"],):
        shape["properties"]["strategy"] = {"$ref": "#/$defs/Strategy"}
    made["title"], made["description"] = "promoter pipeline", "One file: services, environments, and what stands between them."
    return {"$schema": DIALECT, **made, "$defs": definitions}


def _open(node: Any, *, key: str = "") -> Any:
    """`node` with templates, extensions and null let in."""
    if isinstance(node, list):
        return [_open(item) for item in node]
    if not isinstance(node, dict):
        return node
    if key in ("properties", "$defs"):
        return {name: _open(item) for name, item in node.items()}
    opened = {name: _open(item, key=name) for name, item in node.items() if name not in ("default", "title")}
    if opened.get("type") == "object" and "properties" in opened:
        opened["patternProperties"] = _EXTENSION
        required = opened.get("required", [])
        opened["properties"] = {n: v if n in required else _or_null(v) for n, v in opened["properties"].items()}
        return opened
    return _or_template(opened)


def _or_template(node: dict[str, Any]) -> dict[str, Any]:
    if node.get("type") in ("integer", "number", "boolean") or (node.get("type") == "string" and any(k in node for k in _NARROW)):
        return {"anyOf": [node, _TEMPLATE]}
    return node


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    options = node.get("anyOf")
    if options is not None:
        return node if {"type": "null"} in options else {**node, "anyOf": [*options, {"type": "null"}]}
    return {"anyOf": [node, {"type": "null"}]}
