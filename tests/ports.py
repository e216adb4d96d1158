"""Ports for tests that run at the same time. Each worker locks its own block, and the lock ends with its process.

The blocks are below the kernel's ephemeral range (32768 and up), so that no outgoing connection can take a port of them.
"""

import socket
from functools import cache
from itertools import cycle

FIRST, SIZE, BLOCKS = 20000, 150, 80


def next_port() -> int:
    """Return the next port of this worker's block on which nothing listens."""
    for _ in range(SIZE):
        port = next(_block())
        if _is_free(port):
            return port
    raise AssertionError(f"all {SIZE} ports of this worker's block are taken")


@cache
def _block() -> "cycle[int]":
    """Return a block of ports. The lock is a name in the abstract socket space: it leaves no file and ends with the process."""
    for number in range(BLOCKS):
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            held.bind(f"\0promoter-tests-ports-{number}")
        except OSError:
            held.close()
            continue
        _held.append(held)
        return cycle(range(FIRST + number * SIZE, FIRST + (number + 1) * SIZE))
    raise AssertionError(f"more than {BLOCKS} test workers on one machine")


_held: list[socket.socket] = []


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True
