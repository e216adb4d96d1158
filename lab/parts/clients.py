"""Clients that keep their connections, half of them with POST: none of their requests may fail while a release is replaced."""

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

COUNT = 6
PAUSE = 0.005
"""Seconds between two requests of a client: on a machine with two cores the release needs processor time too."""
BODY = b"x" * 2000
TIMEOUT = 60.0


@dataclass
class Clients:
    """The answers to all clients. `seen` counts answers by their body; `failed` has a message for each failure."""

    port: int
    prefix: bytes = b""
    seen: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    slowest: float = 0.0
    pause: float = PAUSE
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self, number: int) -> None:
        connection: http.client.HTTPConnection | None = None
        method, body = ("POST", BODY) if number % 2 else ("GET", None)
        while not self.over.wait(self.pause):
            started = time.monotonic()
            try:
                connection = connection or self._connected()
                connection.request(method, "/", body)
                answer = connection.getresponse()
                text = answer.read().decode()
                self._note(text if answer.status == 200 else None, f"{method}: {answer.status} {text[:80]}", started)
                if answer.will_close:
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                self._note(None, f"{method}: {error!r}", started)
                connection = None

    def _connected(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        connection.connect()
        if self.prefix:
            connection.sock.sendall(self.prefix)
        return connection

    def _note(self, text: str | None, failure: str, started: float) -> None:
        with self._lock:
            self.slowest = max(self.slowest, time.monotonic() - started)
            if text is None:
                self.failed.append(failure)
            else:
                self.seen[text] = self.seen.get(text, 0) + 1

    def stop(self) -> None:
        self.over.set()

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until clients have got this answer `count` times."""
        ends = time.monotonic() + TIMEOUT
        while self.seen.get(text, 0) < count:
            assert time.monotonic() < ends, (text, self.seen, self.failed[:3])
            self.over.wait(0.02)


@contextmanager
def clients(port: int, prefix: bytes = b"", pause: float = PAUSE, count: int = COUNT) -> Iterator[Clients]:
    """Run clients until the block ends."""
    made = Clients(port, prefix, pause=pause)
    threads = [threading.Thread(target=made.work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.stop()
        for thread in threads:
            thread.join()
