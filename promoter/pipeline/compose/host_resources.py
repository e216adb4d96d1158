"""Keys that give a service resources of its host: block devices, GPUs, and the kernel's CPU scheduler."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError

from promoter.config.fields import Texts
from promoter.config.spec import Duration
from promoter.config.spec_errors import misfit
from promoter.config.yaml.scalars import kind_of
from promoter.model.pattern import pattern
from promoter.pipeline.compose.shape import ComposeShape
from promoter.pipeline.compose.short_forms import Labels, Size

ALL_DEVICES = -1
"""The `count` of the engine for every device that it has."""
_RULE = pattern(r"[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}")
_DURATION: TypeAdapter[timedelta] = TypeAdapter(Duration)


def _read_microseconds(value: object) -> object:
    """Read a whole number of microseconds, or a duration such as 50ms."""
    if not isinstance(value, str) or value.isdigit():
        return value
    try:
        return round(_DURATION.validate_python(value).total_seconds() * 1_000_000)
    except ValidationError:
        raise misfit(f"{value!r} is not a time", "write microseconds, such as 50000, or a duration, such as 50ms") from None


def _check_rules(value: tuple[str, ...]) -> tuple[str, ...]:
    for index, rule in enumerate(value):
        if not _RULE.fullmatch(rule):
            raise misfit(f"{rule!r} is not a device rule", 'write for example "c 1:3 mr" or "a 7:* rmw"', (index,))
    return tuple(dict.fromkeys(value))


def _read_count(value: object) -> object:
    return ALL_DEVICES if value == "all" else value


Microseconds = Annotated[int, BeforeValidator(_read_microseconds, json_schema_input_type=int | str)]
DeviceRules = Annotated[tuple[str, ...], AfterValidator(_check_rules)]


class WeightDevice(ComposeShape):
    path: str
    weight: int = Field(ge=10, le=1000)


class ThrottleDevice(ComposeShape):
    """A limit for one block device: `rate` in bytes or in operations, each second."""

    path: str
    rate: Size


class BlkioConfig(ComposeShape):
    """Weights and limits of the service on block devices."""

    weight: int | None = Field(default=None, ge=10, le=1000)
    weight_device: tuple[WeightDevice, ...] = ()
    device_read_bps: tuple[ThrottleDevice, ...] = ()
    device_write_bps: tuple[ThrottleDevice, ...] = ()
    device_read_iops: tuple[ThrottleDevice, ...] = ()
    device_write_iops: tuple[ThrottleDevice, ...] = ()


class DeviceRequest(ComposeShape):
    """Devices that a driver of the engine provides, such as GPUs. `count` -1 (`all`) requests every device."""

    capabilities: Texts = ()
    driver: str | None = None
    count: Annotated[int, BeforeValidator(_read_count, json_schema_input_type=int | str)] | None = None
    device_ids: Texts = ()
    options: Labels = {}


def check_request(request: DeviceRequest) -> DeviceRequest:
    if request.count is not None and request.device_ids:
        raise misfit("`count` and `device_ids` cannot be used together", "keep one")
    return request


def _read_gpus(value: object) -> object:
    """Read `all` as one request for every GPU."""
    if value == "all":
        return ({"count": ALL_DEVICES},)
    if isinstance(value, str | Mapping):
        raise misfit(f"expected `all` or a list, got {kind_of(value)}", "write `gpus: all` or a list of device requests")
    return value


DeviceRequests = tuple[Annotated[DeviceRequest, AfterValidator(check_request)], ...]
Gpus = Annotated[DeviceRequests, BeforeValidator(_read_gpus, json_schema_input_type=str | list[DeviceRequest])]
