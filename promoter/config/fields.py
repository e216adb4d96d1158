"""Fields that several keys share: texts, lists of texts, command lines."""

import re
import shlex
from typing import Annotated

from pydantic import BeforeValidator

from promoter.config.spec_errors import misfit
from promoter.model.pattern import pattern

_HANDLE = pattern(r"\{\{ secret\('[^']*'\) \}\}")


def read_command(value: object) -> object:
    """Split a string as a shell does; take a list word by word. A secret's handle is never split."""
    if not isinstance(value, str):
        return value
    handles: list[str] = []

    def hide(match: re.Match[str]) -> str:
        handles.append(match[0])
        return f"\ue000{len(handles) - 1}\ue001"

    try:
        words = shlex.split(_HANDLE.sub(hide, value))
    except ValueError as error:
        raise misfit(f"cannot split this command into words: {str(error).lower()}", "write a list of words") from error
    return tuple(re.sub("\ue000(\\d+)\ue001", lambda match: handles[int(match[1])], word) for word in words)


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str | int | float) else value


CommandLine = Annotated[tuple[str, ...], BeforeValidator(read_command, json_schema_input_type=str | list[str])]
"""A program and its arguments."""


Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])]
"""One string or a list of strings."""
