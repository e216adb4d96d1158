"""Canonical JSON (RFC 8785) and its SHA-256: the only form in which values are hashed."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of `value`, which must be plain JSON data."""
    import rfc8785  # imported late: many commands never hash anything

    return rfc8785.dumps(value)


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 as 64 lower-case hex digits."""
    return hashlib.sha256(data).hexdigest()


def fingerprint(value: object) -> str:
    """Return the `sha256:…` digest of the canonical JSON of `value`."""
    return f"sha256:{sha256_hex(canonical(value))}"
