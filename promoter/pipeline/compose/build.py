"""The `build` of a service in canonical form, and the short forms of its keys."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo

from promoter.config.fields import Texts
from promoter.config.spec_errors import Fault, Misfit, misfit
from promoter.config.yaml.scalars import kind_of
from promoter.model.pattern import pattern
from promoter.model.secrets import handle
from promoter.pipeline.compose.mounts import absolute
from promoter.pipeline.compose.shape import ComposeShape
from promoter.pipeline.compose.short_forms import Hosts, Labels, Size, Variables, pairs, read_ulimits, reading, spell

_ADDRESS = pattern(r"[a-z][a-z0-9+.-]*:|git@")
_OF_THE_MOUNT = ("uid", "gid", "mode")
_NAME = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def _read_contexts(value: object, info: ValidationInfo) -> object:
    """Read `NAME: PATH` or `NAME=PATH`. Paths are relative to the file; addresses stay as they are."""
    context = reading(info)
    if context is None:
        return value
    found = {}
    for name, item in pairs(value, "=", "`additional_contexts`").items():
        text = spell(item, f"`{name}`")
        if text.startswith("service:"):
            raise misfit(
                f"{text!r} is not supported: the service may not be built yet", "name its Dockerfile's stage or an image"
            )
        found[name] = text if _ADDRESS.match(text) else absolute(text, context.directory)
    return found


def _read_secrets(value: object, info: ValidationInfo) -> object:
    """Read names, or mappings with `source` and `target`, as the placeholder of each value by its id in the Dockerfile."""
    if reading(info) is None:
        return value
    if not isinstance(value, list | tuple):
        raise misfit(f"expected a list of secrets, got {kind_of(value)}", "write for example [TOKEN]")
    found = {}
    for index, entry in enumerate(value):
        grant = {"source": entry} if isinstance(entry, str) else entry
        source = grant.get("source") if isinstance(grant, Mapping) else None
        if left_out := [key for key in _OF_THE_MOUNT if isinstance(grant, Mapping) and key in grant]:
            why = "the `RUN --mount` of the Dockerfile sets it"
            raise Misfit(*(Fault((index, key), f"`{key}` is left out: {why}", dropped=True) for key in left_out))
        if not isinstance(source, str) or not _NAME.fullmatch(source) or not grant.keys() <= {"source", "target"}:
            raise misfit(
                "expected the name of a secret, or a mapping with `source` and `target`", "write for example [TOKEN]", (index,)
            )
        target = spell(grant.get("target") or source, "`target`", (index,))
        if not _NAME.fullmatch(target):
            raise misfit(f"{target!r} is not the id of a secret in a Dockerfile", "use letters, digits and . _ -", (index,))
        found[target] = handle(source)
    return found


def _read_ssh(value: object, info: ValidationInfo) -> object:
    """Read `ID` for the agent, or `ID=PATH` for a key or a socket. `true` is the agent as `default`."""
    context = reading(info)
    if context is None:
        return value
    given = {"default": None} if value is True else pairs([value] if isinstance(value, str) else value, "=", "`ssh`")
    return {name: absolute(spell(path, f"`{name}`"), context.directory) if path else "" for name, path in given.items()}


def _read_stages(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Ulimit(ComposeShape):
    soft: int
    hard: int


Ulimits = Annotated[dict[str, Ulimit], BeforeValidator(read_ulimits, json_schema_input_type=dict[str, int | Ulimit])]


class BuildGrant(ComposeShape):
    """A secret of a build in the long form. `target` is its id in the Dockerfile."""

    source: str
    target: str | None = None


class Build(ComposeShape):
    """How an image is built. `secrets` maps the id in the Dockerfile to the placeholder of the value."""

    context: str = "."
    dockerfile: str | None = None
    dockerfile_inline: str | None = None
    target: str | None = None
    args: Variables = {}
    labels: Labels = {}
    cache_from: tuple[str, ...] = ()
    network: str | None = None
    shm_size: Size | None = None
    extra_hosts: Hosts = {}
    platforms: tuple[str, ...] = ()
    no_cache: bool = False
    no_cache_filter: Annotated[Texts, BeforeValidator(_read_stages, json_schema_input_type=str | list[str])] = ()
    pull: bool = False
    additional_contexts: Annotated[
        dict[str, str], BeforeValidator(_read_contexts, json_schema_input_type=dict[str, str] | list[str])
    ] = {}
    secrets: Annotated[dict[str, str], BeforeValidator(_read_secrets, json_schema_input_type=list[str | BuildGrant])] = {}
    ssh: Annotated[
        dict[str, str], BeforeValidator(_read_ssh, json_schema_input_type=bool | str | list[str] | dict[str, str | None])
    ] = {}
    ulimits: Ulimits = {}
    entitlements: Texts = ()
    privileged: bool = False
