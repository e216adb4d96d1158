"""Revoked keys: a list of public keys, one a line, or OpenSSH's binary revocation list (PROTOCOL.krl).

An unreadable file is an error, never an empty list.
"""

import base64
import binascii
import hashlib
from dataclasses import field

from promoter.gates.approval.ssh.keys import Key, read_key
from promoter.gates.approval.ssh.wire import Malformed, Reader
from promoter.model.dataclass import dataclass

_MAGIC = b"SSHKRL\n\0"
_CERTIFICATES, _KEYS, _SHA1, _SHA256 = 1, 2, 3, 5


@dataclass(frozen=True)
class OfAuthority:
    """Revoked certificates of one authority (None: of any) by serial number or key id. `spans` include both ends."""

    authority: bytes | None
    spans: tuple[tuple[int, int], ...]
    bitmaps: tuple[tuple[int, int], ...]
    key_ids: frozenset[str]

    def holds(self, serial: int, key_id: str) -> bool:
        if key_id in self.key_ids or any(low <= serial <= high for low, high in self.spans):
            return True
        return any(serial >= offset and bits >> min(serial - offset, bits.bit_length()) & 1 for offset, bits in self.bitmaps)


@dataclass(frozen=True)
class Revocations:
    """A revocation list. `blobs` are whole keys; the digests are those of keys."""

    blobs: frozenset[bytes] = frozenset()
    sha1: frozenset[bytes] = frozenset()
    sha256: frozenset[bytes] = frozenset()
    certificates: tuple[OfAuthority, ...] = field(default=())

    def document(self) -> list[str]:
        """Return plain data, in an order that does not depend on the file."""
        keys = [text.hex() for some in (self.blobs, self.sha1, self.sha256) for text in sorted(some)]
        return keys + sorted(repr((one.authority, one.spans, one.bitmaps, sorted(one.key_ids))) for one in self.certificates)

    def hold(self, key: Key) -> bool:
        """Return whether the key, its certificate or its authority was revoked."""
        if self._key(key.blob):
            return True
        certificate = key.certificate
        if certificate is None:
            return False
        ours = (one for one in self.certificates if one.authority in (None, certificate.authority))
        return self._key(certificate.authority) or any(one.holds(certificate.serial, certificate.key_id) for one in ours)

    def _key(self, blob: bytes) -> bool:
        return (
            blob in self.blobs
            or hashlib.sha256(blob).digest() in self.sha256
            or hashlib.sha1(blob, usedforsecurity=False).digest() in self.sha1
        )


NOTHING = Revocations()


def read_revocations(data: bytes) -> Revocations:
    """Read a revocation list. Raise ValueError with a message."""
    return _binary(Reader(data[len(_MAGIC) :])) if data.startswith(_MAGIC) else _text(data)


def _text(data: bytes) -> Revocations:
    blobs, digests = set(), set()
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if words[0].startswith("SHA256:"):
                digests.add(_digest(words[0].removeprefix("SHA256:")))
            else:
                blobs.add(read_key(base64.b64decode(words[1], validate=True)).blob)
        except (IndexError, binascii.Error, ValueError) as error:
            raise ValueError(f"line {number} is neither a public key nor a SHA256: fingerprint") from error
    return Revocations(frozenset(blobs), sha256=frozenset(digests))


def _digest(text: str) -> bytes:
    digest = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if len(digest) != 32:
        raise ValueError
    return digest


def _binary(reader: Reader) -> Revocations:
    try:
        return _sections(reader)
    except Malformed as error:
        raise ValueError(f"cannot read this revocation list: {error}") from error


def _sections(reader: Reader) -> Revocations:
    """Read the whole list. Raise Malformed."""
    if reader.uint32() != 1:
        raise Malformed("unsupported version")
    reader.take(24)  # list version, date, flags
    reader.string()  # reserved
    reader.string()  # a comment
    found: dict[int, set[bytes]] = {_KEYS: set(), _SHA1: set(), _SHA256: set()}
    certificates = []
    while reader.more:
        kind, section = reader.byte(), Reader(reader.string())
        if kind == _CERTIFICATES:
            certificates.append(_of_authority(section))
            continue
        if kind not in found:
            raise Malformed(f"unsupported section type {kind}")
        while section.more:
            found[kind].add(section.string())
    for kind, size in ((_SHA1, 20), (_SHA256, 32)):
        if any(len(digest) != size for digest in found[kind]):
            raise Malformed("a fingerprint in it has a wrong length")
    keys, sha1, sha256 = (frozenset(found[kind]) for kind in (_KEYS, _SHA1, _SHA256))
    return Revocations(keys, sha1, sha256, tuple(certificates))


def _of_authority(reader: Reader) -> OfAuthority:
    authority = reader.string() or None
    reader.string()  # reserved
    spans, bitmaps, key_ids = [], [], set()
    while reader.more:
        kind, part = reader.byte(), Reader(reader.string())
        match kind:
            case 0x20:
                while part.more:
                    serial = part.uint64()
                    spans.append((serial, serial))
            case 0x21:
                spans.append((part.uint64(), part.uint64()))
            case 0x22:
                bitmaps.append((part.uint64(), part.mpint()))
            case 0x23:
                while part.more:
                    key_ids.add(part.text())
            case _:
                raise Malformed(f"unsupported certificate section type {kind}")
        part.end()
    return OfAuthority(authority, tuple(spans), tuple(bitmaps), frozenset(key_ids))
