"""Write to stdout and stderr. A closed pipe never changes how a command ends, and a CI never reads text as commands."""

import sys

from promoter.model.redaction import redacted
from promoter.ui.cli.ci.session import current
from promoter.ui.cli.streams import redirect, write
from promoter.ui.reports.json import as_json


def print_text(text: str) -> None:
    """Text for people, on stdout."""
    session = current()
    write(sys.stdout, session.platform.text(session.redact(text)))


def print_json(document: object) -> None:
    """Print the one JSON document of a command on stdout."""
    session = current()
    write(sys.stdout, session.platform.json(as_json(redacted(document, session.redact))))


def print_bytes(line: bytes) -> None:
    """Exact bytes and a newline, on stdout."""
    try:
        sys.stdout.buffer.write(line + b"\n")
    except BrokenPipeError:
        redirect(sys.stdout.fileno())


def complain(text: str) -> None:
    """Text for people, on stderr."""
    session = current()
    write(sys.stderr, session.platform.text(session.redact(text)))


def flush() -> None:
    write(sys.stdout, None)
