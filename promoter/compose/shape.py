"""What all shapes of the pipeline file share: frozen, no unknown keys, and durations in Compose's spelling."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from promoter.model.duration import parse_duration, say_duration


def _read_duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration, json_schema_input_type=str),
    PlainSerializer(say_duration, when_used="json"),
]
"""A span of time: `1m30s` in the file and in JSON."""


class Shape(BaseModel):
    """Frozen, and refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
