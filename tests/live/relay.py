"""A unix socket in front of an engine's own, which can be cut off and connected again: a host whose network fails."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Relay:
    """`url` is the address to give to promoter."""

    path: Path
    behind: str
    connected: bool = True
    listener: socket.socket = field(default_factory=lambda: socket.socket(socket.AF_UNIX))
    _open: list[socket.socket] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def cut(self) -> None:
        """End all connections, and accept none from now on."""
        with self._lock:
            self.connected = False
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def connect(self) -> None:
        self.connected = True

    def serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self._lock:
                if not self.connected:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.behind.removeprefix("unix://"))
                self._open += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=_copy, args=(source, target), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


@contextmanager
def in_front_of(engine: str, directory: Path, name: str) -> Iterator[Relay]:
    made = Relay(directory / f"{name}.sock", engine)
    made.listener.bind(str(made.path))
    made.listener.listen(64)
    thread = threading.Thread(target=made.serve)
    thread.start()
    try:
        yield made
    finally:
        made.cut()
        made.listener.shutdown(socket.SHUT_RDWR)
        made.listener.close()
        thread.join()
