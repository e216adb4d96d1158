"""Base of all models of the pipeline file: frozen, no unknown keys except `x-…`, null means unset.

`Reading` is the validation context for what a person wrote. Without it, the values are canonical already.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

from promoter.model.dataclass import dataclass
from promoter.model.duration import format_duration, parse_duration


@dataclass(frozen=True)
class Reading:
    """Where relative paths start, and the process environment that Compose reads values from."""

    directory: Path
    environ: Mapping[str, str]


def _read_duration(value: object) -> object:
    if value in (0, "0") and not isinstance(value, bool):
        return timedelta(0)
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit: write for example {value}s")
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration, json_schema_input_type=str),
    PlainSerializer(format_duration, when_used="json"),
]
"""A span of time: `1m30s` in the file and in JSON."""


class Unsupported(NamedTuple):
    """Why a key is not supported. `instead` is the remedy. If `dropped`, the key is left out with a remark only."""

    why: str
    instead: str | None = None
    dropped: bool = False


class Shape(BaseModel):
    """A frozen model that refuses unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
        regex_engine="python-re",
        defer_build=True,
    )

    @classmethod
    def unsupported(cls, _key: str) -> Unsupported | None:
        """Return why a key of the format is not supported or is left out; None for an unknown key."""
        return None

    @model_validator(mode="before")
    @classmethod
    def _drop_unset(cls, data: object) -> object:
        if isinstance(data, dict):
            return {k: v for k, v in data.items() if v is not None and not (isinstance(k, str) and k.startswith("x-"))}
        return data
