"""YAML of the manual: the kind of document of a block, and the document around a block that is a part of one."""

from typing import Any

import yaml

from tests.docs.pages import Block

PIPELINE = """\
name: shop
approvers: .promoter/allowed_signers
services: {web: {image: "nginx:1"}}
environments: {test: {}, prod: {}}
"""
WORKFLOW = """\
on: push
jobs: {promote: {runs-on: ubuntu-24.04, steps: [{run: promoter run}]}}
"""
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "file": (PIPELINE, ()),
    "environments": (PIPELINE, ("environments",)),
    "environment": (PIPELINE, ("environments", "prod")),
    "gates": (PIPELINE, ("environments", "prod", "gates")),
    "verify": (PIPELINE, ("environments", "prod", "verify")),
    "service": (PIPELINE, ("services", "web")),
    "workflow": (WORKFLOW, ()),
    "job": (WORKFLOW, ("jobs", "promote")),
    "steps": (WORKFLOW, ("jobs", "promote", "steps")),
}
"""The words after `yaml part`: the document around the block, and the position of the block in it."""


class _Loader(yaml.SafeLoader):
    """Reads Compose's `!reset` and `!override` as plain values. promoter itself checks them."""


_Loader.add_multi_constructor("!", lambda loader, _, node: node.value)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if tag != "tag:yaml.org,2002:bool" or first not in "yYnNoO"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}  # `on` is a key of workflows, not true


def read(text: str) -> Any:
    return yaml.load(text, _Loader)


def kind(block: Block) -> str | None:
    """Return `pipeline`, `workflow`, `compose`, `gitlab` or `other`; None if the kind is not clear."""
    if block.mark.startswith("part "):
        part = block.mark.removeprefix("part ")
        return None if part not in PARTS else "pipeline" if PARTS[part][0] == PIPELINE else "workflow"
    if block.mark:
        return "other" if block.mark == "other" else None
    document = read(block.text)
    if not isinstance(document, dict):
        return None
    if "environments" in document:
        return "pipeline"
    if {"on", "jobs"} <= document.keys():
        return "workflow"
    if any(isinstance(job, dict) and "script" in job for job in document.values()):
        return "gitlab"
    return "compose" if "services" in document else None


def whole(block: Block) -> str:
    """Return the document that a block is, or is a part of."""
    if not block.mark.startswith("part "):
        return block.text
    around, path = PARTS[block.mark.removeprefix("part ")]
    document, part = read(around), read(block.text) or {}
    at = document
    for key in path[:-1]:
        at = at[key]
    if not path:
        document.update(part)
    else:
        inner = at.get(path[-1])
        at[path[-1]] = {**inner, **part} if isinstance(inner, dict) else part
    return yaml.safe_dump(document, sort_keys=False)
