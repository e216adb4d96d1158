"""Handles of secrets in texts: a name in a fixed form that only the Secrets port can replace by the value."""

from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern

_HANDLE = pattern(r"\{\{ secret\('([A-Za-z0-9_][A-Za-z0-9_.-]*)'\) \}\}")
OPENING = "{{ secret("


def handle(name: str) -> str:
    """Return the handle that represents the value of secret `name` in a plan."""
    return f"{{{{ secret('{name}') }}}}"


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of the secrets with a handle in `text`, each once, in order."""
    return tuple(dict.fromkeys(_HANDLE.findall(text)))


def replace(text: str, values: "dict[str, str]") -> str:
    """Replace each handle in `text` by its value. Every name must be in `values`."""
    return _HANDLE.sub(lambda match: values[match[1]], text)


@dataclass(frozen=True)
class EnvSource:
    """The value of an environment variable of promoter's own process."""

    variable: str


@dataclass(frozen=True)
class FileSource:
    """The content of a file, relative to the pipeline file, without one trailing newline."""

    path: str


@dataclass(frozen=True)
class CommandSource:
    """The output of a program that runs beside the pipeline file, without one trailing newline."""

    argv: tuple[str, ...]


SecretSource = EnvSource | FileSource | CommandSource
