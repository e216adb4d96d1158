"""Small changes to bytes: what a parser may get from a damaged, cut, joined or hostile file."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from promoter.model.canonical_json import canonical

TOKENS = (
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\r\n",
    b"\n",
    b"\t",
    b" ",
    b"${A}",
    b"${A:-",
    b"$$",
    b"{{",
    b"}}",
    b"{{ source }}",
    b"{% for x in y %}",
    b"{{ secret('T') }}",
    b"&a",
    b"*a",
    b"<<: *a",
    b"!!python/object",
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b"'",
    b"\\",
    b"#",
    b": ",
    b"- ",
    b"~nouser/x",
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"9" * 40,
    b"2147483648",
    b"n" * 300,
    b"../" * 20,
    "\u202e\u0130\ud7ff".encode(),
    b"=",
    b",",
    b";",
)


def mutate(seed: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Return `seed` with one to eight changes, some with pieces of `others`."""
    data = bytearray(seed)
    for _ in range(random.randint(1, 8)):
        random.choice(_CHANGES)(data, others, random)
    return bytes(data[:200_000])


def _at(data: bytearray, random: Random) -> int:
    return random.randint(0, len(data))


def _flip(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    if data:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)


def _cut(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    begin = _at(data, random)
    del data[begin : begin + random.choice((1, 2, 8, 64, 1024))]


def _token(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    position = _at(data, random)
    data[position:position] = random.choice(TOKENS)


def _over(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    position, token = _at(data, random), random.choice(TOKENS)
    data[position : position + len(token)] = token


def _again(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    begin = _at(data, random)
    piece = data[begin : begin + random.choice((1, 8, 64))]
    data[begin:begin] = piece * random.choice((1, 2, 50))


def _splice(data: bytearray, others: Sequence[bytes], random: Random) -> None:
    other, position = random.choice(others), _at(data, random)
    begin = random.randint(0, len(other))
    data[position:position] = other[begin : begin + random.choice((8, 64, 512))]


def _line(data: bytearray, _: Sequence[bytes], random: Random) -> None:
    lines = bytes(data).split(b"\n")
    lines.insert(random.randrange(len(lines) + 1), lines.pop(random.randrange(len(lines))))
    data[:] = b"\n".join(lines)


_CHANGES: tuple[Callable[[bytearray, Sequence[bytes], Random], None], ...] = (_flip, _cut, _token, _over, _again, _splice, _line)

ODD: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    2**53 - 1,
    1.5,
    "",
    "x",
    "9" * 40,
    [],
    {},
    [[]],
    [None],
    {"a": None},
    {"": []},
    "\0",
    "2026-13-01T00:00:00.000000Z",
)


def reshape(seed: bytes, random: Random) -> bytes:
    """Return lines of JSON with some values exchanged, dropped or added, in canonical form."""
    lines = seed.splitlines()
    for _ in range(random.randint(1, 3)):
        position = random.randrange(len(lines))
        document = json.loads(lines[position])
        _reshape(document, random)
        lines[position] = canonical(document)
    if random.random() < 0.3:
        lines.insert(random.randrange(len(lines) + 1), lines[random.randrange(len(lines))])
    return b"\n".join(lines)


def _reshape(document: Any, random: Random) -> None:
    """Change a value that is chosen at random."""
    while True:
        keys = list(document) if isinstance(document, dict) else list(range(len(document)))
        if not keys:
            return
        key = random.choice(keys)
        inner = document[key]
        if not (isinstance(inner, dict | list) and inner and random.random() < 0.7):
            break
        document = inner
    way = random.randrange(3)
    if way == 0:
        del document[key]
    else:
        document[key] = random.choice(ODD) if way == 1 else document[random.choice(keys)]
