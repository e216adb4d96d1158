"""Read an armored SSH signature (OpenSSH's PROTOCOL.sshsig), and build the bytes that were signed."""

import base64
import binascii
import hashlib

from promoter.gates.approval.ssh.keys import Key, read_key
from promoter.gates.approval.ssh.wire import Malformed, Reader, string
from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern

LARGEST = 64 * 1024
_MAGIC = b"SSHSIG"
_ARMOR = pattern(r"-----BEGIN SSH SIGNATURE-----\r?\n((?:[A-Za-z0-9+/=]+\r?\n)+)-----END SSH SIGNATURE-----(?:\r?\n)?")
_HASHES = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}


@dataclass(frozen=True)
class Signature:
    """A signature. `raw` is the signature of the key; `key` may be a certificate."""

    key: Key
    namespace: str
    hash: str
    raw: bytes

    def signed(self, message: bytes) -> bytes:
        """Return the bytes that `raw` signs."""
        digest = _HASHES[self.hash](message).digest()
        return _MAGIC + string(self.namespace.encode()) + string(b"") + string(self.hash.encode()) + string(digest)


def read_signature(armored: str) -> Signature:
    """Read a signature. Raise Malformed."""
    if len(armored) > LARGEST:
        raise Malformed(f"it is longer than {LARGEST // 1024} KiB")
    found = _ARMOR.fullmatch(armored)
    if found is None:
        raise Malformed("expected text between BEGIN and END SSH SIGNATURE")
    text = "".join(found[1].split())
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed("it is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise Malformed("its base64 is not in canonical form")
    reader = Reader(data)
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise Malformed("it is not an SSH signature")
    if (version := reader.uint32()) != 1:
        raise Malformed(f"unsupported version {version}")
    key, namespace = read_key(reader.string()), reader.text()
    if reader.string():
        raise Malformed("its reserved part is not empty")
    hash_, raw = reader.text(), reader.string()
    reader.end()
    if hash_ not in _HASHES:
        raise Malformed(f"unsupported hash algorithm {hash_[:60]!r}")
    return Signature(key, namespace, hash_, raw)
