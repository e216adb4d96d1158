"""Port: signs votes."""

from typing import Protocol


class Signer(Protocol):
    """A person's SSH key: in a file, in an agent, or on a hardware token."""

    def sign(self, text: str, key: str) -> str:
        """Return the armored signature over exactly `text`, in the namespace of approvals. Raise SigningError."""

    def public_key(self, key: str) -> bytes | None:
        """Return the public key, in the format of SSH; None if only signing would show it. Raise SigningError without a file."""
