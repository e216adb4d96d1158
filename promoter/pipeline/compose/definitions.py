"""Input forms of what belongs to services: env files, networks, volumes, configs and secrets."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from promoter.config.fields import CommandLine, Texts
from promoter.config.spec_errors import misfit
from promoter.pipeline.compose.deploy import MAX_REPLICAS
from promoter.pipeline.compose.mounts import absolute
from promoter.pipeline.compose.service import Service
from promoter.pipeline.compose.shape import ComposeShape
from promoter.pipeline.compose.short_forms import Labels, reading


class EnvFile(ComposeShape):
    """An env file. With `required: false` it may be missing; `format: raw` takes values literally."""

    path: str
    required: bool = True
    format: Literal["raw"] | None = None


def _read_env_files(value: object, info: ValidationInfo) -> object:
    context = reading(info)
    entries = [value] if isinstance(value, str | Mapping) else value
    if context is None or not isinstance(entries, list | tuple):
        return entries
    files = [{"path": e} if isinstance(e, str) else e for e in entries]
    return [
        {**f, "path": absolute(f["path"], context.directory)} if isinstance(f, Mapping) and isinstance(f.get("path"), str) else f
        for f in files
    ]


def _read_label_files(value: object, info: ValidationInfo) -> object:
    context = reading(info)
    entries = [value] if isinstance(value, str) else value
    if context is None or not isinstance(entries, list | tuple):
        return entries
    return [absolute(entry, context.directory) if isinstance(entry, str) else entry for entry in entries]


def _read_external(value: object) -> object:
    """Read the older form `external: {name: NAME}` as `external: true` with that name."""
    if isinstance(value, Mapping) and isinstance(outer := value.get("external"), Mapping) and outer.keys() == {"name"}:
        return {"name": outer["name"], **value, "external": True}
    return value


class Extends(ComposeShape):
    """A service to extend. `file` is a Compose file, relative to this one; the default is the same file."""

    service: str
    file: str | None = None


class Written(Service):
    """A service as it is written: an override has only the keys that it changes.

    `extends`, `env_file`, `label_file`, `links`, `profiles` and `scale` become other keys before anything runs.
    """

    env_file: Annotated[
        tuple[EnvFile, ...], BeforeValidator(_read_env_files, json_schema_input_type=str | list[str | EnvFile])
    ] = ()
    extends: str | Extends | None = None
    links: tuple[str, ...] = ()
    profiles: Texts = ()
    label_file: Annotated[Texts, BeforeValidator(_read_label_files, json_schema_input_type=str | list[str])] = ()
    scale: int | None = Field(default=None, ge=0, le=MAX_REPLICAS)


class Subnet(ComposeShape):
    subnet: str | None = None
    gateway: str | None = None
    ip_range: str | None = None
    aux_addresses: dict[str, str] = {}


class Ipam(ComposeShape):
    driver: str | None = None
    config: tuple[Subnet, ...] = ()
    options: dict[str, str] = {}


class NetworkForm(ComposeShape):
    name: str | None = None
    external: bool = False
    driver: str | None = None
    driver_opts: Labels = {}
    internal: bool = False
    attachable: bool = False
    enable_ipv4: bool | None = None
    enable_ipv6: bool = False
    ipam: Ipam | None = None
    labels: Labels = {}

    _older = model_validator(mode="before")(_read_external)


def _absolute_device(value: dict[str, str], info: ValidationInfo) -> dict[str, str]:
    """Make the directory that a local volume binds relative to the file, as Compose does."""
    context, device = reading(info), value.get("device", "")
    bound = "bind" in value.get("o", "").split(",")
    return {**value, "device": absolute(device, context.directory)} if context and bound and device[:1] in (".", "~") else value


class VolumeForm(ComposeShape):
    """A volume, with the keys of Compose and `exclusive`, which is promoter's own: only one container at a time may use it."""

    name: str | None = None
    exclusive: bool = False
    external: bool = False
    driver: str | None = None
    driver_opts: Annotated[Labels, AfterValidator(_absolute_device)] = {}
    labels: Labels = {}

    _older = model_validator(mode="before")(_read_external)


def _exactly_one(data: object, keys: tuple[str, ...]) -> object:
    if isinstance(data, Mapping) and len([k for k in keys if data.get(k) is not None]) != 1 and data.keys() <= set(keys):
        raise misfit(f"expected exactly one of {', '.join(keys)}")
    return data


class ConfigForm(ComposeShape):
    """A config: text written here, read from a file beside this one, or from the process environment."""

    content: str | None = None
    file: str | None = None
    environment: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _one(cls, data: object) -> object:
        return _exactly_one(data, ("content", "file", "environment"))


class SecretForm(ComposeShape):
    """The source of a secret's value. `environment` is Compose's name for `env`."""

    env: str | None = None
    environment: str | None = None
    file: str | None = None
    command: CommandLine | None = None

    @model_validator(mode="before")
    @classmethod
    def _one(cls, data: object) -> object:
        return _exactly_one(data, ("env", "environment", "file", "command"))

    @field_validator("command")
    @classmethod
    def _program(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value == ():
            raise misfit("`command` names no program", 'write for example ["pass", "show", "token"]')
        return value
