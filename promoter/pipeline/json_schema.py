"""The JSON Schema of the pipeline file, made from the models that read it. Editors use it for completion.

The descriptions of keys are in `schema_words.yaml`.
Numbers, enumerations and patterns accept a template too; null means unset.
"""

import copy
from functools import cache
from importlib.resources import files
from typing import Any

from promoter.model.labels import SCHEMA_ID

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEMPLATE = r"\{[{%#]"
_SPELLED = {"integer": r"^[-+]?[0-9]+$", "number": r"^[-+]?[0-9]*\.?[0-9]+$", "boolean": "^(true|false)$"}
_NARROW = ("pattern", "enum", "const", "format")
_EXTENSION: dict[str, object] = {"^x-": {}}


def json_schema() -> dict[str, Any]:
    """Return a new copy of the schema."""
    return copy.deepcopy(_schema())


@cache
def _schema() -> dict[str, Any]:
    from promoter.pipeline.spec import OPTIONS, FileForm

    found = FileForm.model_json_schema(by_alias=True, mode="validation")
    options = {shape.__name__: shape.model_json_schema(by_alias=True, mode="validation") for shape in OPTIONS.values()}
    made: dict[str, Any] = _open({**found, "$defs": found["$defs"] | options})
    definitions = made.pop("$defs")
    _add_strategies(definitions, {name: shape.__name__ for name, shape in OPTIONS.items()})
    for name in ("GateForm", "CheckForm", "SecretForm", "ConfigForm"):
        definitions[name]["oneOf"] = [{"required": [key]} for key in definitions[name]["properties"]]
    words = _words()
    for name, shape in (("FileForm", made), *definitions.items()):
        _describe(shape, words.get(name, {}), words["examples"].get(name, []))
    return {"$schema": DIALECT, "$id": SCHEMA_ID, "title": "promoter pipeline", **made, "$defs": definitions}


def _add_strategies(definitions: dict[str, Any], options: dict[str, str]) -> None:
    """Give each strategy in `strategy` its options: the model of an environment has any mapping there."""
    choices = definitions["EnvironmentForm"]["properties"]["strategy"]["anyOf"]
    at = next(number for number, choice in enumerate(choices) if choice.get("type") == "object")
    shapes: dict[str, Any] = {
        name: {"anyOf": [{"$ref": f"#/$defs/{shape}"}, {"type": "null"}]} for name, shape in options.items()
    }
    without = {name: {"type": ["object", "null"], "maxProperties": 0} for name in choices[at]["propertyNames"]["enum"]}
    strategies = {"type": "object", "additionalProperties": False, "minProperties": 1, "maxProperties": 1}
    definitions["StrategyForm"] = {**strategies, "properties": without | shapes}
    choices[at] = {"$ref": "#/$defs/StrategyForm"}


def _words() -> dict[str, Any]:
    import yaml

    words: dict[str, Any] = yaml.safe_load(files("promoter.pipeline").joinpath("schema_words.yaml").read_text(encoding="utf-8"))
    return words


def _describe(shape: dict[str, Any], words: dict[str, str], examples: list[Any]) -> None:
    if "_" in words:
        shape["description"] = words["_"]
    if examples:
        shape["examples"] = examples
    for key, definition in shape.get("properties", {}).items():
        if key in words:
            definition["description"] = words[key]


def _open(node: Any, *, key: str = "") -> Any:
    """Return `node` extended to accept templates, extensions and null."""
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
    kind = node.get("type")
    if kind in _SPELLED:
        return {"anyOf": [node, {"type": "string", "pattern": f"{_SPELLED[kind]}|{_TEMPLATE}"}]}
    if kind == "string" and any(word in node for word in _NARROW):
        return {"anyOf": [node, {"type": "string", "pattern": _TEMPLATE}]}
    return {**node, "type": ["string", "number"]} if kind == "string" else node


def _or_null(node: dict[str, Any]) -> dict[str, Any]:
    options = node.get("anyOf")
    if options is not None:
        return node if {"type": "null"} in options else {**node, "anyOf": [*options, {"type": "null"}]}
    return {"anyOf": [node, {"type": "null"}]}
