"""Secrets with fixed values."""

from collections.abc import Mapping, Sequence

from promoter.model.canonical_json import sha256_hex
from promoter.model.errors import SecretError
from promoter.model.secrets import names_in, replace


class FakeSecrets:
    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})
        self.revealed: set[str] = set()

    def prove(self, names: Sequence[str]) -> None:
        missing = [name for name in names if name not in self.values]
        if missing:
            raise SecretError(f"secret {', '.join(missing)} is missing")

    def reveal(self, text: str) -> str:
        names = names_in(text)
        self.prove(names)
        self.revealed.update(names)
        return replace(text, self.values)

    def redact(self, text: str) -> str:
        for name in self.revealed:
            text = text.replace(self.values[name], f"[secret {name}]")
        return text

    def keyed_hash(self, name: str, salt: str) -> str:
        self.prove([name])
        return sha256_hex(f"{salt} {name} {self.values[name]}".encode())
