"""The parts of a first pipeline file, and what a person wishes, as commented text that a person goes on with. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from promoter.config.yaml.scalars import Tagged
from promoter.pipeline.scaffold.importer import PipelineDraft

ENVIRONMENTS = ("dev", "test", "prod")
SCHEMA = ".promoter/pipeline.schema.json"
"""Where the schema lies beside a pipeline file, so that editors need no network."""
SHARED_LEDGER = "git:promoter-ledger"
LOOPBACK = ("127.", "localhost", "[::1]")
_FIRST_PORT, _STRIDE = 18081, 100


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person said, or nothing. `registry` is the whole prefix of images; `ledger` None is the default."""

    registry: str | None = None
    environments: tuple[str, ...] = ENVIRONMENTS
    approvers: tuple[str, ...] = ()
    ledger: str | None = None
    elsewhere: bool = False
    """The runs are on machines of a CI platform, where nobody looks for what was deployed."""


def pipeline_text(draft: PipelineDraft, wishes: Wishes) -> str:
    parts = [f"# yaml-language-server: $schema={SCHEMA}"]
    parts += [f"# What promoter carries {_way(wishes)}. `promoter validate` checks it, `promoter run` runs it."]
    parts += [f"# {_line(remark)}" for remark in draft.remarks]
    parts += [f"name: {_scalar(draft.name)}"]
    if draft.built:
        registry = wishes.registry or default_registry(draft)
        parts += ["", "# Where the images that are built here are pushed to."]
        if wishes.elsewhere and registry.startswith(LOOPBACK):
            parts += ["# Change it: this one is on each machine itself. Name one that all of them reach."]
        parts += [f"registry: {_scalar(registry)}"]
    if wishes.ledger:
        parts += ["", "# What happened is kept on this branch, so that every machine knows what every other did."]
        parts += [f"ledger: {_scalar(wishes.ledger)}"]
    parts += [
        "",
        "# What runs: the Compose Specification's own keys. {{ … }} is filled in for each environment.",
        _dump(
            {"services": draft.services if not draft.files else draft.files[0] if len(draft.files) == 1 else list(draft.files)}
        ),
    ]
    parts += [_dump({key: value}) for key, value in draft.shared.items()]
    parts += ["# In this order. Each release is built once; every environment gets the very same bytes.", "environments:"]
    parts += [_environment(draft, wishes, place) for place in range(len(wishes.environments))]
    return "\n".join(parts)


def default_registry(draft: PipelineDraft) -> str:
    return f"127.0.0.1:5000{draft.path}"


def _way(wishes: Wishes) -> str:
    first, *more = wishes.environments
    return "".join([f"from {first}", *(f" to {name}" for name in more)]) if more else f"to {first}"


def _environment(draft: PipelineDraft, wishes: Wishes, place: int) -> str:
    name, last = wishes.environments[place], place == len(wishes.environments) - 1
    lines = [f"  {_scalar(name)}:"]
    if draft.ports:
        first = _FIRST_PORT + _STRIDE * place
        ports = ", ".join(f"{variable}: {first + i}" for i, variable in enumerate(draft.ports))
        lines.append(f"    vars: {{{ports}}}" + (f"  # was {_line(', '.join(draft.ports.values()))}" if place == 0 else ""))
    if wishes.elsewhere:
        lines.append(f"    # engine: ssh://deploy@{name}.example.com  # where it runs; without it, where promoter runs")
    if draft.overrides:
        lines += _overrides(draft, first=place == 0)
    lines += _verification(draft)
    if last and place:
        lines += ["    gates:", _approval(wishes)]
    if len(lines) == 1:
        lines[0] += " {}"
    return "\n".join([*lines, ""])


def _approval(wishes: Wishes) -> str:
    if wishes.approvers:
        return f"      - approval: {_scalar({'min': 1, 'from': list(wishes.approvers)})}  # min says how many of them"
    return "      - approval: {min: 1}  # from: [ana@example.com] names who may; min says how many"


def _scalar(value: object) -> str:
    """On one line, in quotes where YAML would take it for something else."""
    dumped = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return dumped.removesuffix("\n...\n").removesuffix("\n")


def _line(text: str) -> str:
    """What stands in a comment ends with its line."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _overrides(draft: PipelineDraft, *, first: bool) -> list[str]:
    """The same text for every environment; its variables differ."""
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
    """`!reset null` and `!override […]`, as Compose writes them."""
    node = dumper.represent_data(value.value)
    node.tag = f"!{value.tag}"
    return node


class _Dumper(yaml.SafeDumper):
    """Lists stand deeper than their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- PyYAML's own
        super().increase_indent(flow, False)


_Dumper.add_representer(Tagged, _write_tagged)


def _plain(value: Any) -> Any:
    """Numbers keep their spelling (`0440`), as text; everything else is what YAML can write."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if type(value) in (str, int, float, bool) or value is None:
        return value
    return Tagged(value.tag, _plain(value.value)) if isinstance(value, Tagged) else str(value)
