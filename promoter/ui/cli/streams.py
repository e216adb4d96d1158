"""Stdout and stderr whose reader may be gone. A closed pipe never changes how a command ends."""

import errno
import os
import select
from typing import TextIO


def redirect_closed() -> None:
    """Redirect the streams of a closed terminal: cleaning up must not fail because of its output."""
    for stream in (1, 2):
        poll = select.poll()
        poll.register(stream, 0)
        if any(found & (select.POLLHUP | select.POLLERR) for _, found in poll.poll(0)):
            redirect(stream)


def write(stream: TextIO, text: str | None) -> None:
    try:
        if text is not None:
            stream.write(text + "\n")
        stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):  # a pipe, or a terminal
            raise
        redirect(stream.fileno())


def redirect(stream: int) -> None:
    """Redirect a stream without a reader to /dev/null, also for the interpreter's exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream)
    os.close(nowhere)
