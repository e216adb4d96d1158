"""Writing to stdout and stderr, so that a reader who went away never changes how a command ends, and a CI takes text for text."""

import sys

from promoter.model.redaction import redacted
from promoter.ui.cli.ci.session import here
from promoter.ui.cli.streams import let_go, write
from promoter.ui.reports.json import as_json


def say(text: str) -> None:
    """Text for people, on stdout."""
    desk = here()
    write(sys.stdout, desk.platform.text(desk.redact(text)))


def say_json(document: object) -> None:
    """The one JSON document of a command, on stdout."""
    desk = here()
    write(sys.stdout, desk.platform.json(as_json(redacted(document, desk.redact))))


def say_bytes(line: bytes) -> None:
    """Exact bytes and a newline, on stdout."""
    try:
        sys.stdout.buffer.write(line + b"\n")
    except BrokenPipeError:
        let_go(sys.stdout.fileno())


def complain(text: str) -> None:
    """Text for people, on stderr."""
    desk = here()
    write(sys.stderr, desk.platform.text(desk.redact(text)))


def flush() -> None:
    write(sys.stdout, None)
