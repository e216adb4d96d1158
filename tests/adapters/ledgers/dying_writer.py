"""A process that writes to an SQLite ledger and is killed by the kernel at a system call: `SCRIPT CALL FILE PLACE`.

CALL is `pwrite` or `sync`, FILE is `wal` or `db`. It prints each fact once it is appended. The last append, or the closing
of the ledger if FILE is `db`, kills it. A filter in the kernel does that, so that this same write or sync never happens.
What was certainly on the disk before it is kept in `FILE.synced`.
"""

import ctypes
import os
import platform
import shutil
import struct
import sys
from pathlib import Path

from promoter.adapters.ledgers.sqlite.store import SqliteLedger
from promoter.ledger.testing import write

CALLS = {
    "x86_64": {"pwrite": (18,), "sync": (74, 75)},
    "aarch64": {"pwrite": (68,), "sync": (82, 83)},
}
"""The numbers of pwrite64, fsync and fdatasync."""
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2
LOAD, EQUAL, ANSWER = 0x20, 0x15, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
NO_FILTER = 77
"""The exit code if the kernel has no such filters, or if the system call numbers of this machine are not known."""


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def die_at(calls: tuple[int, ...], file: int) -> None:
    """Kill the process at the next of `calls` on the descriptor `file`."""
    found = [(EQUAL, len(calls) - number + 1, 0, call) for number, call in enumerate(calls, 1)]
    rules = [
        (LOAD, 0, 0, 0),
        *found,
        (ANSWER, 0, 0, ALLOW),  # the call's number
        (LOAD, 0, 0, 16),
        (EQUAL, 0, 1, file),
        (ANSWER, 0, 0, KILL),
        (ANSWER, 0, 0, ALLOW),  # its first argument
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    program = Program(len(rules), ctypes.cast(code, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    if libc.prctl(SECCOMP, FILTER, ctypes.byref(program), 0, 0) != 0:
        os._exit(NO_FILTER)


def descriptor(path: Path) -> int:
    return next(int(entry.name) for entry in Path("/proc/self/fd").iterdir() if str(entry.readlink()) == str(path))


def main(call: str, file: str, path: Path) -> None:
    ledger = SqliteLedger(path)
    for _ in range(3):
        sys.stdout.write(write(ledger, 1)[0].line.decode() + "\n")
        sys.stdout.flush()
    calls = CALLS.get(platform.machine()) or os._exit(NO_FILTER)
    target = path if file == "db" else path.with_name(f"{path.name}-wal")
    shutil.copy2(target, f"{target}.synced")
    die_at(calls[call], descriptor(target))
    if file == "db":
        ledger.close()
    else:
        write(ledger, 1)
    sys.stdout.write("it lives\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
