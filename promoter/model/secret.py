"""A secret in a text is a handle: its name in a fixed spelling that only the Secrets port can turn into a value."""

import re

_HANDLE = re.compile(r"\{\{ secret\('([A-Za-z_][A-Za-z0-9_]*)'\) \}\}")
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
