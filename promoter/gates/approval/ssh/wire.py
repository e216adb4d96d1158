"""Read OpenSSH's wire format (RFC 4251, section 5), strictly and to the last byte."""

import struct


class Malformed(ValueError):
    """The bytes are invalid. The message says why."""


class Reader:
    """Reads values from the start of `data`."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise Malformed("it ends too early")
        piece = self._data[self._at : self._at + count]
        self._at += count
        return piece

    def byte(self) -> int:
        return self.take(1)[0]

    def uint32(self) -> int:
        value: int = struct.unpack(">I", self.take(4))[0]
        return value

    def uint64(self) -> int:
        value: int = struct.unpack(">Q", self.take(8))[0]
        return value

    def string(self) -> bytes:
        return self.take(self.uint32())

    def text(self) -> str:
        try:
            return self.string().decode()
        except UnicodeDecodeError as error:
            raise Malformed("a text in it is not UTF-8") from error

    def mpint(self) -> int:
        """Read a non-negative whole number in its shortest form. A key must have one form only, or it could evade revocation."""
        data = self.string()
        if data[:1] == b"\0" and data[1:2] < b"\x80":
            raise Malformed("a number in it is not in its shortest form")
        value = int.from_bytes(data, "big", signed=True)
        if value < 0:
            raise Malformed("a number in it is negative")
        return value

    @property
    def at(self) -> int:
        """Return how many bytes were read."""
        return self._at

    @property
    def more(self) -> bool:
        return self._at < len(self._data)

    def end(self) -> None:
        if self.more:
            raise Malformed("it has extra bytes after its end")


def string(value: bytes) -> bytes:
    """Return `value` with its length in front."""
    return struct.pack(">I", len(value)) + value
