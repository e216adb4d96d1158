"""Stdout and stderr of a process whose reader may be gone: that never changes how a command ends."""

import errno
import os
import select
from typing import TextIO


def let_go_of_the_gone() -> None:
    """Of a terminal that was closed under us: nothing that is still to be put in order may fail on a word that nobody reads."""
    for stream in (1, 2):
        poll = select.poll()
        poll.register(stream, 0)
        if any(found & (select.POLLHUP | select.POLLERR) for _, found in poll.poll(0)):
            let_go(stream)


def write(stream: TextIO, text: str | None) -> None:
    try:
        if text is not None:
            stream.write(text + "\n")
        stream.flush()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO):  # a pipe, or a terminal
            raise
        let_go(stream.fileno())


def let_go(stream: int) -> None:
    """The reader is gone: what is written from here on, also at the interpreter's end, goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream)
    os.close(nowhere)
