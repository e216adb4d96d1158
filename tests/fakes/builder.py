"""A builder that records its requests, and does what a test configures instead of building."""

import threading
from collections.abc import Callable, Sequence

from promoter.model.errors import BuildError
from promoter.promotion.ports.builder import BuildRequest
from promoter.promotion.ports.secrets import Secrets


class FakeBuilder:
    """`made` is called after each successful build: a test can add the image to its engine there."""

    name = "fake"

    def __init__(self, made: Callable[[BuildRequest], None] = lambda _: None) -> None:
        self.requests: list[BuildRequest] = []
        self.revealed: dict[str, dict[str, str]] = {}
        """Build arguments by service, with secrets filled in."""
        self._made = made
        self._lines: dict[str, Sequence[str]] = {}
        self._failures: dict[str, BuildError] = {}
        self._refusals: dict[str, str] = {}
        self._lock = threading.Lock()

    def print_lines(self, service: str, *lines: str) -> None:
        self._lines[service] = lines

    def fails(self, service: str, error: BuildError) -> None:
        self._failures[service] = error

    def refuses(self, service: str, why: str) -> None:
        self._refusals[service] = why

    def refuse(self, request: BuildRequest) -> str | None:
        return self._refusals.get(request.service)

    def build(self, request: BuildRequest, secrets: Secrets, log: Callable[[str], None]) -> None:
        args = {name: secrets.reveal(value) for name, value in request.build.args.items() if value is not None}
        with self._lock:
            self.requests.append(request)
            self.revealed[request.service] = args
        for line in self._lines.get(request.service, ()):
            log(secrets.redact(line))
        if request.service in self._failures:
            raise self._failures[request.service]
        self._made(request)
