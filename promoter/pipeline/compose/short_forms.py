"""Compose's short forms for texts, lists, mappings, sizes and commands; and the types that read them.

Ports are in `ports.py`, volumes and files in `mounts.py`. Every reader accepts the canonical form too.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from promoter.config.spec import Reading
from promoter.config.spec_errors import Fault, Misfit, misfit
from promoter.config.yaml.scalars import kind_of
from promoter.model.pattern import pattern
from promoter.model.secrets import OPENING


def reading(info: ValidationInfo) -> Reading | None:
    """Return the `Reading` of what a person wrote, or None if the value is canonical."""
    return info.context if isinstance(info.context, Reading) else None


def spell(value: object, what: str, at: tuple[str | int, ...] = ()) -> str:
    """Return a scalar as text: numbers as written, true and false as words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise misfit(f"{what} must be a string, got {kind_of(value)}", None, at)


def _distinct(value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value))


def pairs(value: object, separators: str, what: str) -> dict[str, object]:
    """Read a mapping, or a list of `KEY=VALUE` texts, as a mapping. A KEY without a value has None."""
    if isinstance(value, Mapping):
        return {str(key): item for key, item in value.items()}
    if not isinstance(value, list | tuple):
        raise misfit(f"{what} must be a mapping or a list, got {kind_of(value)}", "write for example {KEY: value} or [KEY=value]")
    found: dict[str, object] = {}
    for index, entry in enumerate(value):
        text = spell(entry, "an entry", (index,))
        cut = min((text.index(s) for s in separators if s in text), default=-1)
        key = text if cut < 0 else text[:cut]
        if not key:
            raise misfit(f"{text!r} has no name", f"write NAME{separators[0]}value", (index,))
        found[key] = None if cut < 0 else text[cut + 1 :]
    return found


def _texts_by_key(value: object, bare: Callable[[str, ValidationInfo], str | None], info: ValidationInfo) -> dict[str, str]:
    found = {}
    for key, item in pairs(value, "=", f"`{info.field_name}`").items():
        text = bare(key, info) if item is None else spell(item, f"`{key}`", (key,) if isinstance(value, Mapping) else ())
        if text is not None:
            found[key] = text
    return found


def _empty(key: str, info: ValidationInfo) -> str:  # noqa: ARG001 (same signature as the other rule)
    return ""


def _from_process(key: str, info: ValidationInfo) -> str | None:
    """Take a KEY without a value from the process environment, or leave it unset, as Compose does."""
    context = reading(info)
    value = context.environ.get(key) if context else None
    if value is not None and OPENING in value:
        raise misfit(
            f"the value of the environment variable {key} looks like the internal placeholder of a secret",
            "write secret('NAME') in the file itself",
        )
    return value


def read_labels(value: object, info: ValidationInfo) -> object:
    return _texts_by_key(value, _empty, info)


def read_environment(value: object, info: ValidationInfo) -> object:
    return _texts_by_key(value, _from_process, info)


_SIZE = pattern(r"(\d+(?:\.\d+)?)\s*(b|k|kb|kib|m|mb|mib|g|gb|gib|t|tb|tib)?", re.IGNORECASE)
_POWERS = {"b": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def read_size(value: object) -> object:
    """Read a size in bytes: a number, or a number with b, k, m or g (1024 each)."""
    if not isinstance(value, str) or value == "-1":
        return value
    match = _SIZE.fullmatch(value.strip())
    if not match:
        raise misfit(f"{value!r} is not a size", "write for example 512m or 1g")
    return int(float(match[1]) * 1024 ** _POWERS[(match[2] or "b")[0].lower()])


def read_hosts(value: object) -> object:
    """Read names and addresses: a mapping (to one address or several), or a list of `name=address` or `name:address`."""
    found: dict[str, list[str]] = {}
    if isinstance(value, Mapping):
        for name, item in value.items():
            items = item if isinstance(item, list | tuple) else [item]
            found[str(name)] = [address for i in items for address in _addresses(spell(i, f"`{name}`", (name,)))]
        return {name: tuple(items) for name, items in found.items()}
    if not isinstance(value, list | tuple):
        raise misfit(f"expected a list or mapping of hosts, got {kind_of(value)}", "write for example [db=10.0.0.5]")
    for index, entry in enumerate(value):
        text = spell(entry, "an entry", (index,))
        name, separator, address = text.partition("=") if "=" in text else text.partition(":")
        if not (name and separator and address):
            raise misfit(f"{text!r} is not a host and an address", "write for example db=10.0.0.5", (index,))
        found.setdefault(name, []).extend(_addresses(address))
    return {name: tuple(items) for name, items in found.items()}


def _addresses(text: str) -> list[str]:
    return [address.strip().strip("[]") for address in text.split(",")]


def read_ulimits(value: object) -> object:
    """Read one number as both limits."""
    if not isinstance(value, Mapping):
        return value
    return {
        name: {"soft": v, "hard": v} if isinstance(v, str | int) and not isinstance(v, bool) else v for name, v in value.items()
    }


def read_devices(value: object) -> object:
    """`host[:container[:rwm]]`."""
    if not isinstance(value, list | tuple):
        return value
    found: list[object] = []
    faults = []
    for index, entry in enumerate(value):
        if not isinstance(entry, str):
            found.append(entry)
            continue
        source, *rest = entry.split(":")
        if not source.startswith("/") or len(rest) > 2 or (len(rest) == 2 and not re.fullmatch("[rwm]{1,3}", rest[1])):
            faults.append(Fault((index,), f"{entry!r} is not a device", 'write for example "/dev/ttyUSB0:/dev/ttyUSB0:rw"'))
            continue
        found.append(
            {"source": source, "target": rest[0] if rest else source, "permissions": rest[1] if len(rest) == 2 else "rwm"}
        )
    if faults:
        raise Misfit(*faults)
    return found


def names_to_maps(value: object) -> object:
    """Read a list of names as a mapping of names to empty mappings."""
    if isinstance(value, list | tuple):
        return {spell(name, "a name", (index,)): {} for index, name in enumerate(value)}
    if isinstance(value, Mapping):
        return {name: {} if item is None else item for name, item in value.items()}
    return value


def read_test(value: object) -> object:
    """Read a test. A string is run by the container's shell."""
    return ("CMD-SHELL", value) if isinstance(value, str) else value


def check_test(value: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if value is not None and (not value or value[0] not in ("CMD", "CMD-SHELL", "NONE")):
        raise misfit(
            "a test must begin with CMD, CMD-SHELL or NONE",
            'write for example ["CMD", "/bin/check"], or one string for the shell',
        )
    return value


def check_restart(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"no|always|unless-stopped|on-failure(:\d+)?", value):
        raise misfit(f"{value!r} is not a restart policy", "write no, always, unless-stopped, on-failure or on-failure:3")
    return value


def check_expose(value: tuple[str, ...]) -> tuple[str, ...]:
    for index, text in enumerate(value):
        if not re.fullmatch(r"\d{1,5}(-\d{1,5})?(/(tcp|udp|sctp))?", text):
            raise misfit(f"{text!r} is not a port", 'write for example "8080" or "53/udp"', (index,))
    return value


DistinctTexts = Annotated[tuple[str, ...], AfterValidator(_distinct)]
_Scalar = str | int | float | bool | None
Labels = Annotated[dict[str, str], BeforeValidator(read_labels, json_schema_input_type=dict[str, _Scalar] | list[str])]
Variables = Annotated[dict[str, str], BeforeValidator(read_environment, json_schema_input_type=dict[str, _Scalar] | list[str])]
Size = Annotated[int, BeforeValidator(read_size, json_schema_input_type=int | str)]
Hosts = Annotated[
    dict[str, tuple[str, ...]], BeforeValidator(read_hosts, json_schema_input_type=dict[str, str | list[str]] | list[str])
]
Restart = Annotated[str, AfterValidator(check_restart)]
Expose = Annotated[tuple[str, ...], AfterValidator(check_expose)]
Test = Annotated[tuple[str, ...], BeforeValidator(read_test, json_schema_input_type=str | list[str]), AfterValidator(check_test)]
