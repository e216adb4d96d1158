"""Write the parts of a first pipeline file, and what the user chose, as commented text to edit further. Pure."""

from collections.abc import Mapping
from typing import Any

import yaml

from promoter.config.yaml.scalars import Tagged
from promoter.model.dataclass import dataclass
from promoter.pipeline.scaffold.importer import PipelineDraft

ENVIRONMENTS = ("dev", "test", "prod")
SCHEMA = ".promoter/pipeline.schema.json"
"""Path of the schema beside a pipeline file, so that editors need no network."""
SHARED_LEDGER = "git:promoter-ledger"
LOOPBACK = ("127.", "localhost", "[::1]")
_FIRST_PORT, _STRIDE = 18081, 100


@dataclass(frozen=True)
class ScaffoldOptions:
    """What the user chose. `registry` is the whole prefix of images; `ledger` None is the default."""

    registry: str | None = None
    environments: tuple[str, ...] = ENVIRONMENTS
    approvers: tuple[str, ...] = ()
    ledger: str | None = None
    on_ci: bool = False
    """Whether promoter runs on CI machines, where the deployed services cannot be visited."""


def pipeline_text(draft: PipelineDraft, options: ScaffoldOptions) -> str:
    parts = [f"# yaml-language-server: $schema={SCHEMA}"]
    parts += [f"# The pipeline of promoter, {_way(options)}. `promoter validate` checks it, `promoter run` runs it."]
    parts += [f"# {_line(remark)}" for remark in draft.remarks]
    parts += [f"name: {_scalar(draft.name)}"]
    if draft.built:
        registry = options.registry or default_registry(draft)
        parts += ["", "# The registry for images that are built here."]
        if options.on_ci and registry.startswith(LOOPBACK):
            parts += ["# Change it: this one is local to each machine. Name one that all machines can reach."]
        parts += [f"registry: {_scalar(registry)}"]
    if options.ledger:
        parts += ["", "# All facts are kept on this branch, so that all machines share them."]
        parts += [f"ledger: {_scalar(options.ledger)}"]
    parts += [
        "",
        "# What runs: the Compose Specification's own keys. {{ … }} is filled in for each environment.",
        _dump(
            {"services": draft.services if not draft.files else draft.files[0] if len(draft.files) == 1 else list(draft.files)}
        ),
    ]
    parts += [_dump({key: value}) for key, value in draft.shared.items()]
    parts += ["# In this order. Each release is built once; every environment gets the same images.", "environments:"]
    parts += [_environment(draft, options, index) for index in range(len(options.environments))]
    return "\n".join(parts)


def default_registry(draft: PipelineDraft) -> str:
    return f"127.0.0.1:5000{draft.path}"


def _way(options: ScaffoldOptions) -> str:
    first, *more = options.environments
    return "".join([f"from {first}", *(f" to {name}" for name in more)]) if more else f"to {first}"


def _environment(draft: PipelineDraft, options: ScaffoldOptions, index: int) -> str:
    name, last = options.environments[index], index == len(options.environments) - 1
    lines = [f"  {_scalar(name)}:"]
    if draft.ports:
        first = _FIRST_PORT + _STRIDE * index
        ports = ", ".join(f"{variable}: {first + i}" for i, variable in enumerate(draft.ports))
        lines.append(f"    vars: {{{ports}}}" + (f"  # was {_line(', '.join(draft.ports.values()))}" if index == 0 else ""))
    if options.on_ci:
        lines.append(f"    # engine: ssh://deploy@{name}.example.com  # where it runs; the default is this machine")
    if draft.overrides:
        lines += _overrides(draft, first=index == 0)
    lines += _verification(draft)
    if last and index:
        lines += ["    gates:", _approval(options)]
    if len(lines) == 1:
        lines[0] += " {}"
    return "\n".join([*lines, ""])


def _approval(options: ScaffoldOptions) -> str:
    if options.approvers:
        return f"      - approval: {_scalar({'min': 1, 'from': list(options.approvers)})}  # min: how many of them must approve"
    return "      - approval: {min: 1}  # add from: [ana@example.com] to name who may approve; min: how many must"


def _scalar(value: object) -> str:
    """Write a value on one line, with quotes if YAML needs them."""
    dumped = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return dumped.removesuffix("\n...\n").removesuffix("\n")


def _line(text: str) -> str:
    """Put a text on one line: a comment ends with its line."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _overrides(draft: PipelineDraft, *, first: bool) -> list[str]:
    """Write the services of an environment: the same text for all, with different variables."""
    if not first:
        return ["    services: *services"]
    body = _dump(draft.overrides).splitlines()
    return ["    services: &services  # what several copies cannot share", *(f"      {line}" for line in body)]


def _verification(draft: PipelineDraft) -> list[str]:
    if draft.probe is not None:
        variable, path = draft.probe
        return ["    verify:", f'      - http: {{url: "http://127.0.0.1:{{{{ {variable} }}}}{path}", status: 200}}']
    if draft.ports:
        variable = next(iter(draft.ports))
        return ["    # verify:", f'    #   - http: {{url: "http://127.0.0.1:{{{{ {variable} }}}}/", status: 200}}']
    return []


def _dump(value: object) -> str:
    return yaml.dump(_plain(value), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _write_tagged(dumper: "_Dumper", value: Tagged) -> yaml.Node:
    """Write `!reset null` and `!override […]` as Compose does."""
    node = dumper.represent_data(value.value)
    node.tag = f"!{value.tag}"
    return node


class _Dumper(yaml.SafeDumper):
    """Indents lists deeper than their key, as people write them."""

    def increase_indent(self, *flow: Any, **named: Any) -> None:
        super().increase_indent(*flow, **(named | {"indentless": False}))


_Dumper.add_representer(Tagged, _write_tagged)


def _plain(value: Any) -> Any:
    """Convert numbers with a special form (`0440`) to text, and other values to what YAML can write."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if type(value) in (str, int, float, bool) or value is None:
        return value
    return Tagged(value.tag, _plain(value.value)) if isinstance(value, Tagged) else str(value)
