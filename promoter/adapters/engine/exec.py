"""Run a command inside a running container, with promoter's own timeout: the engine has none."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import requests
from docker.errors import APIError

from promoter.adapters.engine.client import CONNECT, Client
from promoter.adapters.engine.connection import Link
from promoter.adapters.engine.errors import FOREIGN, reason, renamed, timed_out
from promoter.adapters.engine.streams import Frames, arriving, demultiplex
from promoter.promotion.ports.container import ExecResult, Output

_TOO_LONG, _NOT_EXECUTABLE, _NOT_FOUND = 124, 126, 127
_KEPT = 1 << 20
_POLL_INTERVAL, _MOST_POLLS = 0.01, 200


class Execution(Link):
    """`exec` of the Engine port. After a timeout the command continues to run: the engine cannot end it."""

    def exec(self, container: str, command: Sequence[str], timeout: float, output: Output | None = None) -> ExecResult:
        ends = time.monotonic() + timeout
        client = self.client()
        order = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)}

        def start() -> requests.Response:
            attached, limits = {"Detach": False, "Tty": False}, (CONNECT, max(timeout, 0.001))
            return client.call("POST", "/exec/{0}/start", identifier, json=attached, stream=True, timeout=limits)

        def check() -> None:
            if output is not None:
                self._check()  # without it, also a restore after an interruption probes the health of containers
            if time.monotonic() > ends:
                raise TimeoutError

        with renamed(f"nothing can be run in container {container}"):
            identifier: str = client.call("POST", "/containers/{0}/exec", container, json=order).json()["Id"]
            kept, frames = bytearray(), Frames()
            try:
                with closing(arriving(start, check, _parts)) as pieces:
                    for piece in pieces:
                        kept.extend(piece[: max(0, _KEPT - len(kept))])
                        _pass_on(frames, piece, output)
                        check()
            except FOREIGN as error:
                return _unfinished(error, bytes(kept), timeout, output)
            return ExecResult(_exit_code(client, identifier), demultiplex(bytes(kept)))


def _parts(answer: requests.Response) -> Iterator[bytes]:
    """Yield bytes as soon as they arrive."""
    response: Any = answer.raw._fp  # noqa: SLF001 - http.client's response: urllib3's reads until it has as much as was asked for
    while response.fp is not None and (chunk := response.read1(1 << 16)):
        yield chunk


def _pass_on(frames: Frames, piece: bytes, output: Output | None) -> None:
    if output is not None:
        for stream, text in frames.feed(piece):
            output(stream, text)


def _unfinished(error: Exception, kept: bytes, timeout: float, output: Output | None) -> ExecResult:
    """Return the result of a command that had no time left or could not be started. Raise every other error."""
    if timed_out(error):
        return ExecResult(_TOO_LONG, f"{demultiplex(kept)}\nnot finished within {timeout:g} s".lstrip(), timed_out=True)
    if isinstance(error, APIError) and error.status_code == 400:
        words = reason(error)
        if output is not None:
            output("stderr", f"{words}\n")
        return _unstartable(words)
    raise error


def _exit_code(client: Client, identifier: str) -> int:
    """Return the exit code of a command. Ask several times: the stream can end a moment before the engine records the end."""
    for _ in range(_MOST_POLLS):
        seen: dict[str, Any] = client.call("GET", "/exec/{0}/json", identifier).json()
        if not seen["Running"]:
            return int(seen["ExitCode"] or 0)
        time.sleep(_POLL_INTERVAL)
    return _TOO_LONG


def _unstartable(words: str) -> ExecResult:
    missing = "not found" in words or "no such file" in words
    return ExecResult(_NOT_FOUND if missing else _NOT_EXECUTABLE, words)
