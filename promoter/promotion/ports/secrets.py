"""Port: secrets by name, and their redaction."""

from collections.abc import Sequence
from typing import Protocol


class Secrets(Protocol):
    """Values of declared secrets. `reveal` is called only for values sent to an engine or a child process."""

    def prove(self, names: Sequence[str]) -> None:
        """Raise SecretError, naming each secret of `names` that is missing."""

    def reveal(self, text: str) -> str:
        """Return `text` with every secret handle replaced by its value."""

    def redact(self, text: str) -> str:
        """Return `text` with every value that was revealed replaced by `[secret NAME]`."""

    def keyed_hash(self, name: str, salt: str) -> str:
        """Return a slow salted hash of the value: 64 hex digits; `salt` is hex."""
