"""Which sockets listen on this machine, and which process has them: read from the real /proc."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from promoter.adapters.listening_sockets import ListeningSocket, SocketOwner, listening, owners, program_of, read_line, serving

ME = os.getpid()
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this /proc")
REST = "00000000:0000 {} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0"
LISTENS, CONNECTED = (f"00000000:0000 {state} {REST.partition('{} ')[2]}" for state in ("0A", "01"))
little_endian = pytest.mark.skipif(sys.byteorder != "little", reason="the lines are from a little-endian machine")


@little_endian
@pytest.mark.parametrize(
    ("local", "address"),
    [
        ("0100007F:1F90", "127.0.0.1"),
        ("00000000:1F90", "0.0.0.0"),
        ("00000000000000000000000000000000:1F90", "::"),
        ("00000000000000000000000001000000:1F90", "::1"),
        ("0000000000000000FFFF00000100007F:1F90", "127.0.0.1"),
        ("B80D0120000000000000000001000000:1F90", "2001:db8::1"),
    ],
)
def test_a_line_of_the_table_has_address_port_and_inode(local: str, address: str) -> None:
    assert read_line(f"   0: {local} {LISTENS}") == ListeningSocket(address, 8080, 4711)
    assert read_line(f"   0: {local} {CONNECTED}") is None, "only a socket that listens has the port for itself"


def test_a_short_line_is_no_socket() -> None:
    assert read_line("   0: 0100007F:1F90") is None


def test_a_socket_of_this_process_is_found_with_its_owner(free_port: Callable[[], int]) -> None:
    number = free_port()
    with socket.create_server(("127.0.0.1", number)):
        (found,) = listening(ME, {number})
        assert (found.address, found.port) == ("127.0.0.1", number)
        owner = owners({found.inode})[found.inode]
        assert (owner.process, owner.program) == (ME, program_of(ME))
        assert owner.program
    assert (listening(ME, {number}), owners({found.inode})) == ([], {})


@pytest.fixture
def ipv6() -> Iterator[socket.socket]:
    try:
        made = socket.socket(socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with closing(made):
        yield made


@pytest.mark.parametrize("alone", [True, False], ids=["IPv6 alone", "IPv4 too"])
def test_a_wildcard_of_ipv6_counts_only_if_it_has_the_port_of_ipv4_too(
    ipv6: socket.socket, free_port: Callable[[], int], alone: bool
) -> None:
    number = free_port()
    ipv6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, alone)
    try:
        ipv6.bind(("::", number))
    except OSError:
        pytest.skip("this machine has no IPv6")
    ipv6.listen()
    assert [one.address for one in listening(ME, {number})] == ([] if alone else ["::"])


def test_the_process_behind_a_unix_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    assert serving(path) is None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        assert serving(path) == ME


def test_a_process_that_has_ended_has_no_sockets_and_no_name() -> None:
    assert (listening(2**22 + 1, {80}), program_of(2**22 + 1)) == ([], "")


def test_a_container_is_known_by_its_control_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "12"
    (made / "fd").mkdir(parents=True)
    (made / "fd/3").symlink_to("socket:[4711]")
    (made / "comm").write_text("web\x1b\u202e\n")
    (made / "cgroup").write_text(f"0::/system.slice/docker-{'a' * 64}.scope\n")
    monkeypatch.setattr("promoter.adapters.listening_sockets._PROC", tmp_path)
    (owner,) = owners({4711, 1}).values()
    assert owner == SocketOwner(12, "web", "a" * 64)
