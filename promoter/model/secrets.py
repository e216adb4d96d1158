"""A secret in a text is a handle: its name in a fixed spelling that only the Secrets port can turn into a value."""

import re
from dataclasses import dataclass

_HANDLE = re.compile(r"\{\{ secret\('([A-Za-z0-9_][A-Za-z0-9_.-]*)'\) \}\}")
OPENING = "{{ secret("


def handle(name: str) -> str:
    """What stands in a plan for the value of secret `name`."""
    return f"{{{{ secret('{name}') }}}}"


def names_in(text: str) -> tuple[str, ...]:
    """The names of the secrets that `text` holds handles of, each once, in order."""
    return tuple(dict.fromkeys(_HANDLE.findall(text)))


def replace(text: str, values: "dict[str, str]") -> str:
    """`text` with each handle replaced by its value; every name must be in `values`."""
    return _HANDLE.sub(lambda match: values[match[1]], text)


@dataclass(frozen=True, slots=True)
class EnvSource:
    """The value of an environment variable of promoter's own process."""

    variable: str


@dataclass(frozen=True, slots=True)
class FileSource:
    """The content of a file, relative to the pipeline file; one trailing newline is dropped."""

    path: str


@dataclass(frozen=True, slots=True)
class CommandSource:
    """What a program, run beside the pipeline file, prints; one trailing newline is dropped."""

    argv: tuple[str, ...]


SecretSource = EnvSource | FileSource | CommandSource
