"""Writing to stdout and stderr, so that a reader who went away never changes how a command ends, and a CI takes text for text."""

import os
import sys
from typing import TextIO

from promoter.cli.desk import here
from promoter.reports.jsonout import as_json


def say(text: str) -> None:
    """Text for people, on stdout."""
    _write(sys.stdout, here().platform.text(text))


def say_json(document: object) -> None:
    """The one JSON document of a command, on stdout."""
    _write(sys.stdout, here().platform.json(as_json(document)))


def say_bytes(line: bytes) -> None:
    """Exact bytes and a newline, on stdout."""
    try:
        sys.stdout.buffer.write(line + b"\n")
    except BrokenPipeError:
        _let_go(sys.stdout)


def complain(text: str) -> None:
    """Text for people, on stderr."""
    _write(sys.stderr, here().platform.text(text))


def flush() -> None:
    _write(sys.stdout, None)


def _write(stream: TextIO, text: str | None) -> None:
    try:
        if text is not None:
            stream.write(text + "\n")
        stream.flush()
    except BrokenPipeError:
        _let_go(stream)


def _let_go(stream: TextIO) -> None:
    """The reader of a pipe is gone: what is written from here on, also at the interpreter's end, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
