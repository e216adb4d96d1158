"""Writing to stdout and stderr, so that a reader who went away never changes how a command ends, and a CI takes text for text."""

import errno
import os
import select
import sys
from typing import TextIO

from promoter.cli.desk import here
from promoter.model.redaction import redacted
from promoter.reports.jsonout import as_json


def say(text: str) -> None:
    """Text for people, on stdout."""
    desk = here()
    _write(sys.stdout, desk.platform.text(desk.redact(text)))


def say_json(document: object) -> None:
    """The one JSON document of a command, on stdout."""
    desk = here()
    _write(sys.stdout, desk.platform.json(as_json(redacted(document, desk.redact))))


def say_bytes(line: bytes) -> None:
    """Exact bytes and a newline, on stdout."""
    try:
        sys.stdout.buffer.write(line + b"\n")
    except BrokenPipeError:
        _let_go(sys.stdout.fileno())


def complain(text: str) -> None:
    """Text for people, on stderr."""
    desk = here()
    _write(sys.stderr, desk.platform.text(desk.redact(text)))


def flush() -> None:
    _write(sys.stdout, None)


def let_go_of_the_gone() -> None:
    """Of a terminal that was closed under us: nothing that is still to be put in order may fail on a word that nobody reads."""
    for stream in (1, 2):
        poll = select.poll()
        poll.register(stream, 0)
        if any(found & (select.POLLHUP | select.POLLERR) for _, found in poll.poll(0)):
            _let_go(stream)


def _write(stream: TextIO, text: str | None) -> None:
    try:
        if text is not None:
            stream.write(text + "\n")
        stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):  # a pipe, or a terminal
            raise
        _let_go(stream.fileno())


def _let_go(stream: int) -> None:
    """The reader is gone: what is written from here on, also at the interpreter's end, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream)
    os.close(nowhere)
