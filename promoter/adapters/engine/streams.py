"""The engine's streams: JSON of pull, push and build, and the frames of logs and exec.

A stream that began with status 200 can contain an error; the reader raises it. Silence longer than the read timeout and
a broken connection are errors too.
"""

import codecs
import json
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from queue import Empty, Queue
from typing import Any

import requests

from promoter.adapters.engine.errors import fault, renamed
from promoter.adapters.thread_queue import fill
from promoter.model.errors import EngineError, PullError, PushError, WorldError
from promoter.model.images import Digest
from promoter.model.pattern import pattern
from promoter.promotion.ports.container import Progress

_PUSHED = pattern(r"\S+: digest: (sha256:[0-9a-f]{64}) size: \d+")
_PULLED = pattern(r"Digest: (sha256:[0-9a-f]{64})")
_HEADER = struct.Struct(">BxxxL")
_STDERR = 2
Line = Mapping[str, Any]
Lines = Generator[Line, None, None]
Start = Callable[[], requests.Response]
Check = Callable[[], None]
Read = Callable[[requests.Response], Iterator[bytes]]
_POLL_INTERVAL, _LINGER = 0.2, 2.0
"""Seconds between two checks for interruption; seconds that a reader thread has to end."""
_DRAIN_INTERVAL = 0.01
_AHEAD = 64
"""How many pieces a reader thread may be ahead. Without a limit, a slow terminal would fill the memory."""


def read(start: Start, what: str, kind: type[WorldError] = EngineError, check: Check = lambda: None) -> Lines:
    """Yield each JSON object of the answer to the request that `start` sends. Raise `kind` for an error in it.

    `check` is called while the engine is silent, and may raise. Closing the generator early makes the engine stop its work.
    """
    decoder = json.JSONDecoder()
    with closing(arriving(start, check)) as pieces, renamed(what, kind):
        rest = ""
        for chunk in pieces:
            rest = (rest + chunk.decode("utf-8", "replace")).lstrip()
            while rest:
                try:
                    line, end = decoder.raw_decode(rest)
                except ValueError:
                    break
                rest = rest[end:].lstrip()
                yield _checked(line, what, kind)
        if rest:
            broken = kind(f"{what}: the engine's answer was cut off", retryable=True)
            broken.lost = True
            raise broken


def _whole_chunks(answer: requests.Response) -> Iterator[bytes]:
    return answer.iter_content(chunk_size=None)


def arriving(start: Start, check: Check, read: Read = _whole_chunks) -> Generator[bytes, None, None]:
    """Yield bytes as they arrive. Another thread reads them, so that waiting for a silent engine can be interrupted."""
    reader = _Reader(start, read)
    try:
        while True:
            try:
                piece = reader.pieces.get(timeout=_POLL_INTERVAL)
            except Empty:
                check()
                continue
            if piece is None:
                return
            if isinstance(piece, BaseException):
                raise piece
            yield piece
    finally:
        reader.end()


class _Reader(threading.Thread):
    """A thread that puts the body of an answer into `pieces`: bytes, and at the end an error or None."""

    def __init__(self, start: Start, read: Read) -> None:
        super().__init__(daemon=True)
        self.pieces: Queue[bytes | BaseException | None] = Queue(_AHEAD)
        self._begin, self._chunks = start, read
        self._closed = False
        self._answer: requests.Response | None = None
        self.start()

    def run(self) -> None:
        fill(self.pieces, self._read())

    def _read(self) -> Iterator[bytes]:
        self._answer = answer = self._begin()
        for chunk in self._chunks(answer):
            if self._closed:
                return
            yield chunk

    def end(self) -> None:
        """Stop reading, also in the middle. A request that has no answer yet ends by its own timeout."""
        answer, self._closed = self._answer, True
        if answer is None:
            return
        if self.is_alive():
            with suppress(OSError, ValueError, RuntimeError, AttributeError):
                answer.raw.shutdown()
            self._drain()
        answer.close()

    def _drain(self) -> None:
        """Empty the queue until the thread has ended: it may wait for space in it."""
        deadline = time.monotonic() + _LINGER
        while self.is_alive() and time.monotonic() < deadline:
            with suppress(Empty):
                self.pieces.get_nowait()
            self.join(_DRAIN_INTERVAL)


def _checked(line: Line, what: str, kind: type[WorldError]) -> Line:
    detail = line.get("errorDetail")
    words = line.get("error") or (detail.get("message") if isinstance(detail, Mapping) else None)
    if words or "error" in line or detail:
        raise fault(what, str(words or "the engine gave no reason").strip(), kind)
    return line


def follow_pull(lines: Iterable[Line], wanted: Digest, progress: Progress) -> bool:
    """Read a pull to its end. Return whether the engine named the wanted digest. Raise PullError if it named another one."""
    named = False
    for line in lines:
        _report(line, progress)
        match = _PULLED.fullmatch(str(line.get("status", "")).strip())
        if match and match[1] != str(wanted):
            raise PullError(f"the engine pulled {match[1]}, expected {wanted}", hint="do not trust this registry")
        named = named or match is not None
    return named


def follow_push(lines: Iterable[Line], what: str, progress: Progress) -> Digest:
    """Read a push to its end and return the digest that the engine named."""
    named: str | None = None
    witness: str | None = None
    for line in lines:
        _report(line, progress)
        aux = line.get("aux")
        if isinstance(aux, Mapping):
            if aux.get("manifestPushedInsteadOfIndex"):
                raise PushError(
                    f"{what}: the engine pushed the manifest of one platform instead of the whole index",
                    hint="build or pull the image for all its platforms, or build it for one platform only",
                )
            witness = aux.get("Digest") or witness
        match = _PUSHED.fullmatch(str(line.get("status", "")).strip())
        named = match[1] if match else named
    if named is None:
        raise PushError(f"{what}: the engine ended the push without naming a digest", hint="push again", retryable=True)
    if witness is not None and witness != named:
        raise PushError(f"{what}: the engine named two digests, {named} and {witness}", hint="push again")
    return Digest.parse(named)


def _report(line: Line, progress: Progress) -> None:
    detail = line.get("progressDetail") or {}
    if line.get("id") and line.get("status"):
        progress(str(line["id"]), str(line["status"]), detail.get("current"), detail.get("total"))


class Frames:
    """Decodes frames of stdout and stderr piece by piece. Characters and frames may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {"stdout": decoder("replace"), "stderr": decoder("replace")}

    def feed(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Yield the name of the stream and its text, for each complete frame."""
        self._rest += data
        while len(self._rest) >= _HEADER.size:
            number, length = _HEADER.unpack_from(self._rest)
            end = _HEADER.size + length
            if len(self._rest) < end:
                return
            stream = "stderr" if number == _STDERR else "stdout"
            text = self._decoders[stream].decode(self._rest[_HEADER.size : end])
            self._rest = self._rest[end:]
            if text:
                yield stream, text


def demultiplex(data: bytes) -> str:
    """Return the text of stdout and stderr together. `data` may consist of frames or, with a terminal, be plain text."""
    return "".join(part.decode("utf-8", "replace") for part in _frames(data))


def _frames(data: bytes) -> list[bytes]:
    """Return the contents of the frames; the last may be incomplete. Return `data` as one piece if it has no frames."""
    parts, offset = [], 0
    while offset + _HEADER.size <= len(data):
        stream, length = _HEADER.unpack_from(data, offset)
        if stream > 2 or data[offset + 1 : offset + 4] != b"\0\0\0":
            return [data]
        parts.append(data[offset + _HEADER.size : offset + _HEADER.size + length])
        offset += _HEADER.size + length
    return parts if parts or not data else [data]
