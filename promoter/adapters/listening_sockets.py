"""The TCP sockets on which processes of this machine listen, and who has them: as far as /proc shows it to this user."""

import errno
import socket
import struct
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from pathlib import Path

from promoter.model.addresses import EVERY_ADDRESS
from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern
from promoter.model.visible_text import visible

_LISTENS = "0A"
_CONTAINER = pattern(r"[0-9a-f]{64}")
_CONNECT = 5.0
_PROC = Path("/proc")


@dataclass(frozen=True)
class ListeningSocket:
    """`inode` identifies the socket on this machine."""

    address: str
    port: int
    inode: int


@dataclass(frozen=True)
class SocketOwner:
    """A process that has a socket. `container` is the id of the container that it seems to run in."""

    process: int
    program: str
    container: str | None


def serving(path: str) -> int | None:
    """Return the process that serves a Unix socket, or None if it is not among the processes that are visible here."""
    with suppress(OSError, AttributeError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_CONNECT)
        client.connect(path)
        process: int = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))[0]
        return process or None
    return None


def program_of(process: int | str) -> str:
    """Return the name of a program; empty if it is unknown."""
    with suppress(OSError):
        return visible("".join(c for c in (_PROC / str(process) / "comm").read_text(errors="replace") if c.isprintable()))
    return ""


def listening(process: int, ports: Collection[int]) -> list[ListeningSocket]:
    """Return the sockets that listen on these ports in the network of a process. Those for IPv6 alone are left out."""
    found = _table(process, "tcp", ports)
    own = {one.inode for one in _table("self", "tcp6", ports)}
    for one in _table(process, "tcp6", ports):
        wildcard = one.address == "::"
        if not wildcard or (one.inode in own and all(other.port != one.port for other in found) and _has_ipv4(one.port)):
            found.append(one)
    return found


def owners(inodes: Collection[int]) -> dict[int, SocketOwner]:
    """Return the first process that has each socket. Processes of other users are visible only to root."""
    wanted, found = {f"socket:[{inode}]": inode for inode in inodes}, dict[int, SocketOwner]()
    for process in sorted(int(one.name) for one in _PROC.iterdir() if one.name.isdigit()):
        for target in _descriptors(process):
            if target in wanted:
                found[wanted.pop(target)] = SocketOwner(process, program_of(process), _container(process))
        if not wanted:
            break
    return found


# ------------------------------------------------------------ parts
def _table(process: int | str, name: str, ports: Collection[int]) -> list[ListeningSocket]:
    try:
        lines = (_PROC / str(process) / "net" / name).read_text().splitlines()[1:]
    except OSError:
        return []
    return [one for line in lines if (one := read_line(line)) is not None and one.port in ports]


def read_line(line: str) -> ListeningSocket | None:
    """Read a line of /proc/net/tcp or tcp6; None for a socket that does not listen."""
    fields = line.split()
    if len(fields) < 10 or fields[3] != _LISTENS:
        return None
    digits, _, port = fields[1].partition(":")
    words = (int(digits[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(digits), 8))
    address = ip_address(b"".join(words))
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return ListeningSocket(str(address), int(port, 16), int(fields[9]))


def _has_ipv4(port: int) -> bool:
    """Return whether a wildcard socket of IPv6 has the port of IPv4 too, which /proc does not show. Nothing listens here."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((EVERY_ADDRESS, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _descriptors(process: int) -> Iterator[str]:
    with suppress(OSError):
        for descriptor in (_PROC / str(process) / "fd").iterdir():
            with suppress(OSError):
                yield str(descriptor.readlink())


def _container(process: int) -> str | None:
    with suppress(OSError):
        ids = _CONTAINER.findall((_PROC / str(process) / "cgroup").read_text())
        return ids[-1] if ids else None
    return None
