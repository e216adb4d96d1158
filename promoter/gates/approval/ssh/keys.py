"""Read OpenSSH public keys and certificates, and verify raw signatures.

Formats: RFC 4253, 5656, 8332, 8709, and OpenSSH's PROTOCOL.u2f and PROTOCOL.certkeys.
"""

import base64
import hashlib
from functools import lru_cache
from typing import Any

from promoter.gates.approval.ssh.wire import Malformed, Reader
from promoter.model.dataclass import dataclass

USER = 1
SHORTEST_RSA, LONGEST_RSA = 2048, 16384
_CERTIFICATE = "-cert-v01@openssh.com"
_CURVES = {"ecdsa-sha2-nistp256": b"nistp256", "ecdsa-sha2-nistp384": b"nistp384", "ecdsa-sha2-nistp521": b"nistp521"}
_SK_ED25519, _SK_ECDSA = "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"
_KINDS = ("ssh-ed25519", "ssh-rsa", *_CURVES, _SK_ED25519, _SK_ECDSA)
_PRESENT, _VERIFIED = 0x01, 0x04
"""Flags of a hardware key: a user touched it; it verified the user."""


@dataclass(frozen=True)
class Certificate:
    """A certificate of a key by an authority. Times are seconds since 1970; `before` is exclusive."""

    serial: int
    kind: int
    key_id: str
    principals: tuple[str, ...]
    after: int
    before: int
    critical: tuple[str, ...]
    authority: bytes
    signed: bytes
    signature: bytes


@dataclass(frozen=True)
class Key:
    """A public key. `blob` is its wire form, also inside a certificate; `fields` are the parts of its type."""

    kind: str
    blob: bytes
    fields: tuple[Any, ...]
    application: bytes | None = None
    certificate: Certificate | None = None

    @property
    def fingerprint(self) -> str:
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


@lru_cache(maxsize=1024)
def read_key(blob: bytes) -> Key:
    """Read the key or certificate in `blob`. Raise Malformed."""
    reader = Reader(blob)
    name = reader.text()
    certified = name.endswith(_CERTIFICATE)
    kind = name
    if certified:
        base = name.removesuffix(_CERTIFICATE)
        kind = f"{base}@openssh.com" if base.startswith("sk-") else base
        reader.string()  # the nonce
    if kind not in _KINDS:
        raise Malformed(f"unsupported key type {name[:60]!r}")
    begin = reader.at
    fields, application = _fields(kind, reader)
    plain = _name(kind) + blob[begin : reader.at]
    certificate = _certificate(reader, blob) if certified else None
    reader.end()
    key = Key(kind, plain, fields, application, certificate)
    _loaded(key)
    return key


def _name(kind: str) -> bytes:
    return len(kind).to_bytes(4, "big") + kind.encode()


def _fields(kind: str, reader: Reader) -> tuple[tuple[Any, ...], bytes | None]:
    if kind == "ssh-rsa":
        exponent, modulus = reader.mpint(), reader.mpint()
        if modulus.bit_length() < SHORTEST_RSA:
            raise Malformed(f"an RSA key of {modulus.bit_length()} bits is too short: the minimum is {SHORTEST_RSA}")
        if modulus.bit_length() > LONGEST_RSA:
            raise Malformed(f"an RSA key of {modulus.bit_length()} bits is too long: the maximum is {LONGEST_RSA}")
        return (exponent, modulus), None
    if kind in _CURVES or kind == _SK_ECDSA:
        curve = reader.string()
        if curve != _CURVES.get(kind, b"nistp256"):
            raise Malformed("its curve does not match its key type")
        point = reader.string()
        if point[:1] != b"\x04":
            raise Malformed("its point is not in uncompressed form")
        return (curve, point), reader.string() if kind == _SK_ECDSA else None
    return (reader.string(),), reader.string() if kind == _SK_ED25519 else None


def _certificate(reader: Reader, blob: bytes) -> Certificate:
    serial, kind, key_id = reader.uint64(), reader.uint32(), reader.text()
    listed, principals = Reader(reader.string()), []
    while listed.more:
        principals.append(listed.text())
    after, before = reader.uint64(), reader.uint64()
    options, critical = Reader(reader.string()), []
    while options.more:
        critical.append(options.text())
        options.string()
    reader.string()  # extensions: they are about logins, not about signing
    reader.string()  # reserved
    authority = reader.string()
    signed = blob[: reader.at]
    return Certificate(
        serial, kind, key_id, tuple(principals), after, before, tuple(critical), authority, signed, reader.string()
    )


@lru_cache(maxsize=1024)
def _loaded(key: Key) -> Any:
    """Return the key as an object of the crypto library. Raise Malformed, for example for a point off its curve."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    curves: dict[bytes, type[ec.EllipticCurve]] = {
        b"nistp256": ec.SECP256R1,
        b"nistp384": ec.SECP384R1,
        b"nistp521": ec.SECP521R1,
    }
    try:
        if key.kind == "ssh-rsa":
            return rsa.RSAPublicNumbers(*key.fields).public_key()
        if len(key.fields) == 2:
            return ec.EllipticCurvePublicKey.from_encoded_point(curves[key.fields[0]](), key.fields[1])
        return ed25519.Ed25519PublicKey.from_public_bytes(key.fields[0])
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed(f"it is not a valid key: {error}") from error


def check_signature(key: Key, signature: bytes, message: bytes, *, verified: bool = False) -> str | None:
    """Return why `signature` is not a valid signature of `message` by `key`, or None if it is.

    A hardware key must have been touched. With `verified` it must also have verified the user.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        reader = Reader(signature)
        algorithm, value = reader.text(), reader.string()
        signed = message
        if key.application is not None:
            flags, counter = reader.take(1), reader.take(4)
            if not flags[0] & _PRESENT:
                return "the hardware key was not touched: user presence is required"
            if verified and not flags[0] & _VERIFIED:
                return "the hardware key did not verify its user, which is required"
            signed = hashlib.sha256(key.application).digest() + flags + counter + hashlib.sha256(message).digest()
        reader.end()
        return _check(key, algorithm, value, signed)
    except Malformed as error:
        return f"cannot read its signature: {error}"
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return "the signature does not match: other content, or another key"


def _check(key: Key, algorithm: str, value: bytes, signed: bytes) -> str | None:
    """Verify a raw signature. Raise InvalidSignature."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    public = _loaded(key)
    if key.kind == "ssh-rsa":
        hash_ = {"rsa-sha2-256": hashes.SHA256(), "rsa-sha2-512": hashes.SHA512()}.get(algorithm)
        if hash_ is None:
            return f"unsupported signature algorithm {algorithm[:60]!r}: expected rsa-sha2-256 or rsa-sha2-512"
        public.verify(value, signed, padding.PKCS1v15(), hash_)
    elif algorithm != key.kind:
        return f"its algorithm {algorithm[:60]!r} does not match its key"
    elif len(key.fields) == 2:
        numbers = Reader(value)
        r, s = numbers.mpint(), numbers.mpint()
        numbers.end()
        by_curve = {b"nistp256": hashes.SHA256(), b"nistp384": hashes.SHA384(), b"nistp521": hashes.SHA512()}
        public.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(by_curve[key.fields[0]]))
    else:
        public.verify(value, signed)
    return None
