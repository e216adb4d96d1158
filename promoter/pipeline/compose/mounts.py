"""Volumes, secrets and configs of a service, short and long, in canonical form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, ValidationInfo

from promoter.config.spec import Reading
from promoter.config.spec_errors import Fault, Misfit, faults_of, misfit
from promoter.config.yaml.scalars import WrittenInt, kind_of
from promoter.model.pattern import pattern
from promoter.pipeline.compose.shape import ComposeShape
from promoter.pipeline.compose.short_forms import Labels, Size, reading
from promoter.pipeline.compose.unsupported import dropped

_NAME = pattern(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
_EXAMPLE = 'write for example "data:/var/lib/data" or "./etc:/etc/app:ro"'


def read_mode(value: object) -> object:
    """Read permission bits: `0o440`, `"0440"`, and Compose's unquoted `0440`."""
    text = value if isinstance(value, str) else value.text if isinstance(value, WrittenInt) else None
    if text is None:
        if isinstance(value, int) and not isinstance(value, bool):
            raise misfit(f"{value} is not read as octal", f'write 0o{value} or "0{value}"')
        return value
    if not re.fullmatch(r"(0o)?[0-7]{1,5}", text):
        raise misfit(f"{text!r} is not a mode", 'write octal digits: 0o440 or "0440"')
    return int(text.removeprefix("0o"), 8)


Mode = Annotated[int, BeforeValidator(read_mode, json_schema_input_type=int | str)]


class BindOptions(ComposeShape):
    propagation: Literal["private", "rprivate", "shared", "rshared", "slave", "rslave"] | None = None
    create_host_path: bool = True
    selinux: Literal["z", "Z"] | None = None
    recursive: Literal["enabled", "disabled", "writable", "readonly"] | None = None


class VolumeOptions(ComposeShape):
    nocopy: bool = False
    subpath: str | None = None
    labels: Labels = {}


class TmpfsOptions(ComposeShape):
    size: Size | None = None
    mode: Mode | None = None


class LongMount(ComposeShape):
    """A mount in Compose's long form."""

    type: Literal["bind", "volume", "tmpfs"]
    source: str | None = None
    target: str
    read_only: bool = False
    bind: BindOptions = Field(default=BindOptions())
    volume: VolumeOptions = Field(default=VolumeOptions())
    tmpfs: TmpfsOptions = Field(default=TmpfsOptions())

    def canonical(self) -> dict[str, object]:
        flat: dict[str, object] = self.model_dump(include={"type", "source", "target", "read_only"}, exclude_unset=True)
        flat |= self.bind.model_dump(exclude_unset=True) | self.volume.model_dump(exclude_unset=True)
        return flat | {f"tmpfs_{key}": value for key, value in self.tmpfs.model_dump(exclude_unset=True).items()}


class LongGrant(ComposeShape):
    """A secret or config in Compose's long form."""

    source: str
    target: str | None = None
    uid: int = 0
    gid: int = 0
    mode: Mode = 0o444


def read_mounts(value: object, info: ValidationInfo) -> object:
    context = reading(info)
    if context is None:
        return value
    return _each(value, lambda entry: _read_mount(entry, context))


def _read_mount(entry: object, context: Reading) -> dict[str, object]:
    if isinstance(entry, str):
        return _checked(_short_mount(_without_consistency(entry)), context)
    if not isinstance(entry, Mapping):
        raise misfit(f"a mount must be a string or a mapping, got {kind_of(entry)}", _EXAMPLE)
    try:
        long = LongMount.model_validate(entry, context=context)
    except ValidationError as error:
        raise Misfit(*faults_of(error, LongMount)) from error
    return _checked(long.canonical(), context)


def _without_consistency(text: str) -> str:
    """Raise a Misfit that names the part of `text` to leave out, and what remains."""
    source, _, options = text.rpartition(":")
    words = options.split(",")
    found = next((word for word in words if word in ("cached", "delegated", "consistent")), None)
    if found is None or ":" not in source:
        return text
    rest = ",".join(word for word in words if word != found)
    why = f"`{found}` is left out: {dropped('Mount', 'consistency')}"
    raise Misfit(Fault((), why, dropped=True, instead=f"{source}:{rest}" if rest else source))


def _short_mount(text: str) -> dict[str, object]:
    parts = text.split(":")
    if len(parts) == 1:
        return {"type": "volume", "target": text}
    source, target, *rest = parts
    if not source or len(rest) > 1:
        raise misfit(f"{text!r} is not a mount", _EXAMPLE)
    mount: dict[str, object] = {"type": "bind" if source[0] in "./~" else "volume", "source": source, "target": target}
    for option in rest[0].split(",") if rest else ():
        mount |= _option(option, text)
    return mount


def _option(option: str, text: str) -> dict[str, object]:
    if option in ("ro", "rw"):
        return {"read_only": option == "ro"}
    if option == "nocopy":
        return {"nocopy": True}
    if option in _PROPAGATIONS:
        return {"propagation": option}
    if option in ("z", "Z"):
        return {"selinux": option}
    raise misfit(f"{text!r} has an unknown option `{option}`", "known options: ro, rw, z, Z, nocopy, " + ", ".join(_PROPAGATIONS))


def _checked(mount: dict[str, object], context: Reading) -> dict[str, object]:
    source, target = mount.get("source"), str(mount["target"])
    if not target.startswith("/"):
        raise misfit(f"the target {target!r} is not an absolute path in the container", _EXAMPLE)
    if mount["type"] == "bind":
        if not source:
            raise misfit("a bind mount needs a `source`", _EXAMPLE)
        if mount.get("selinux") and mount.get("create_host_path") is False:
            raise misfit("`selinux` needs permission to create the host path", "remove `create_host_path`, or `selinux`")
        return mount | {"source": absolute(str(source), context.directory)}
    if mount["type"] == "volume" and source and not _NAME.fullmatch(str(source)):
        raise misfit(f"{source!r} is not the name of a volume", f"write ./{source} for a directory beside the file")
    for option in ("subpath", "recursive", "labels"):
        if mount.get("selinux") and mount.get(option):
            raise misfit(f"`selinux` does not work with `{option}`", f"remove `{option}`, or `selinux`")
    if mount["type"] == "tmpfs" and source:
        raise misfit("a tmpfs mount cannot have a `source`", "remove it")
    return mount


def is_relative(source: str) -> bool:
    """Return whether a host path is relative to this machine or checkout."""
    return not source.startswith("/")


def absolute(source: str, directory: Path) -> str:
    import os.path

    try:
        return os.path.normpath(directory / Path(source).expanduser())
    except RuntimeError as error:
        raise misfit(
            f"cannot find the home directory for {source!r}", "name an existing user, or write the absolute path"
        ) from error


def read_secret_grants(value: object, info: ValidationInfo) -> object:
    return _grants(value, info, lambda source, target: target if target.startswith("/") else f"/run/secrets/{target or source}")


def read_config_grants(value: object, info: ValidationInfo) -> object:
    return _grants(value, info, lambda source, target: target if target.startswith("/") else f"/{target or source}")


def _grants(value: object, info: ValidationInfo, target_of: Callable[[str, str], str]) -> object:
    context = reading(info)
    if context is None:
        return value

    def grant(entry: object) -> dict[str, object]:
        if isinstance(entry, str):
            return {"source": entry, "target": target_of(entry, "")}
        if not isinstance(entry, Mapping):
            raise misfit(f"expected a name or a mapping, got {kind_of(entry)}", "write for example [TOKEN]")
        try:
            long = LongGrant.model_validate(entry, context=context)
        except ValidationError as error:
            raise Misfit(*faults_of(error, LongGrant)) from error
        return {**long.model_dump(exclude_unset=True), "target": target_of(long.source, long.target or "")}

    return _each(value, grant)


def _each(value: object, read: Callable[[object], Any]) -> object:
    """Read every entry of a list, and collect the faults of all."""
    if not isinstance(value, list | tuple):
        return value
    found, faults = [], []
    for index, entry in enumerate(value):
        try:
            found.append(read(entry))
        except Misfit as error:
            faults += [replace(f, at=(index, *f.at)) for f in error.faults]
    if faults:
        raise Misfit(*faults)
    return found
