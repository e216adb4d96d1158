"""Fields that several keys share: texts, lists of texts, command lines."""

import re
import shlex
from typing import Annotated

from pydantic import BeforeValidator

from promoter.config.spec_errors import misfit

_HANDLE = re.compile(r"\{\{ secret\('[^']*'\) \}\}")


def read_command(value: object) -> object:
    """A string is split as a shell would (a secret's handle is one word's part); a list is taken word by word."""
    if not isinstance(value, str):
        return value
    handles: list[str] = []

    def hide(match: re.Match[str]) -> str:
        handles.append(match[0])
        return f"\ue000{len(handles) - 1}\ue001"

    try:
        words = shlex.split(_HANDLE.sub(hide, value))
    except ValueError as error:
        raise misfit(f"this command cannot be split into words: {str(error).lower()}", "write a list of words") from error
    return tuple(re.sub("\ue000(\\d+)\ue001", lambda match: handles[int(match[1])], word) for word in words)


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str | int | float) else value


CommandLine = Annotated[tuple[str, ...], BeforeValidator(read_command, json_schema_input_type=str | list[str])]
"""A program and its words."""


Texts = Annotated[tuple[str, ...], BeforeValidator(_one_or_many, json_schema_input_type=str | list[str])]
"""One text or a list of them."""
