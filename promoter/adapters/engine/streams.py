"""What the engine tells while it works: JSON streams of pull, push and build, and the frames of logs and exec.

A failure comes inside a stream that began with 200; the reader raises on it. Silence longer than the read timeout
and a connection that breaks are failures too. Nothing is decided here about what to do next.
"""

import json
import re
import struct
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from typing import Any

import requests

from promoter.adapters.engine.faults import fault, renamed
from promoter.model.digest import Digest
from promoter.model.errors import EngineError, PullError, PushError, WorldError
from promoter.ports import Progress

_PUSHED = re.compile(r"\S+: digest: (sha256:[0-9a-f]{64}) size: \d+")
_PULLED = re.compile(r"Digest: (sha256:[0-9a-f]{64})")
_HEADER = struct.Struct(">BxxxL")
Line = Mapping[str, Any]
Lines = Generator[Line, None, None]


def read(answer: requests.Response, what: str, kind: type[WorldError] = EngineError) -> Lines:
    """Each JSON object as it comes. Raises `kind` on an error inside; closing early makes the engine stop its work."""
    decoder = json.JSONDecoder()
    with closing(answer), renamed(what, kind):
        rest = ""
        for chunk in answer.iter_content(chunk_size=None):
            rest = (rest + chunk.decode("utf-8", "replace")).lstrip()
            while rest:
                try:
                    line, end = decoder.raw_decode(rest)
                except ValueError:
                    break
                rest = rest[end:].lstrip()
                yield _checked(line, what, kind)
        if rest:
            raise kind(f"{what}: the engine's answer broke off in the middle", retryable=True)


def _checked(line: Line, what: str, kind: type[WorldError]) -> Line:
    detail = line.get("errorDetail")
    words = line.get("error") or (detail.get("message") if isinstance(detail, Mapping) else None)
    if words or "error" in line or detail:
        raise fault(what, str(words or "the engine says no more than that it failed").strip(), kind)
    return line


def follow_pull(lines: Iterable[Line], wanted: Digest, progress: Progress) -> bool:
    """Reads a pull to its end; whether the engine named the wanted digest. Raises PullError when it named another."""
    named = False
    for line in lines:
        _tell(line, progress)
        match = _PULLED.fullmatch(str(line.get("status", "")).strip())
        if match and match[1] != str(wanted):
            raise PullError(f"the engine pulled {match[1]} where {wanted} was asked for", hint="do not trust this registry")
        named = named or match is not None
    return named


def follow_push(lines: Iterable[Line], what: str, progress: Progress) -> Digest:
    """Reads a push to its end and gives the digest that it named."""
    named: str | None = None
    witness: str | None = None
    for line in lines:
        _tell(line, progress)
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


def _tell(line: Line, progress: Progress) -> None:
    detail = line.get("progressDetail") or {}
    if line.get("id") and line.get("status"):
        progress(str(line["id"]), str(line["status"]), detail.get("current"), detail.get("total"))


def demultiplex(data: bytes) -> str:
    """The text of stdout and stderr together: frames where `data` is framed, as it is where a terminal made it."""
    return "".join(part.decode("utf-8", "replace") for part in _frames(data))


def _frames(data: bytes) -> list[bytes]:
    """Frames, the last perhaps cut short; the whole as one when it is not framed."""
    parts, place = [], 0
    while place + _HEADER.size <= len(data):
        stream, length = _HEADER.unpack_from(data, place)
        if stream > 2 or data[place + 1 : place + 4] != b"\0\0\0":
            return [data]
        parts.append(data[place + _HEADER.size : place + _HEADER.size + length])
        place += _HEADER.size + length
    return parts if parts or not data else [data]
