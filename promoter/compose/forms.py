"""Compose's short forms, each turned into the canonical one; and the types that read them.

The pipeline-file helper completes this room.
"""

from typing import Annotated

from pydantic import BeforeValidator


def read_command(value: object) -> object:
    """A string is split as a shell would; a list is taken word by word."""
    import shlex

    if isinstance(value, str):
        return tuple(shlex.split(value))
    return value


CommandLine = Annotated[tuple[str, ...], BeforeValidator(read_command, json_schema_input_type=str | list[str])]
"""A program and its words."""
