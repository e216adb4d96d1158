"""Run a command inside a running container, with promoter's own timeout: the engine has none."""

import time
from collections.abc import Sequence
from typing import Any

import requests
from docker.errors import APIError

from promoter.adapters.engine.client import CONNECT, Client
from promoter.adapters.engine.connection import Link
from promoter.adapters.engine.errors import FOREIGN, reason, renamed, timed_out
from promoter.adapters.engine.streams import demultiplex
from promoter.promotion.ports.engine import ExecResult

_TOO_LONG, _NOT_EXECUTABLE, _NOT_FOUND = 124, 126, 127
_KEPT = 1 << 20
_POLL_INTERVAL, _MOST_POLLS = 0.01, 200


class Execution(Link):
    """`exec` of the Engine port. After a timeout the command continues to run: the engine cannot end it."""

    def exec(self, container: str, command: Sequence[str], timeout: float) -> ExecResult:
        ends = time.monotonic() + timeout
        client = self.client()
        order = {"AttachStdout": True, "AttachStderr": True, "Cmd": list(command)}
        with renamed(f"nothing can be run in container {container}"):
            identifier: str = client.call("POST", "/containers/{0}/exec", container, json=order).json()["Id"]
            output = bytearray()
            try:
                answer = client.call(
                    "POST",
                    "/exec/{0}/start",
                    identifier,
                    json={"Detach": False, "Tty": False},
                    stream=True,
                    timeout=(CONNECT, max(timeout, 0.001)),
                )
                _collect(answer, ends, output)
            except FOREIGN as error:
                if timed_out(error):
                    return ExecResult(_TOO_LONG, f"{demultiplex(bytes(output))}\nnot finished within {timeout:g} s".lstrip())
                if isinstance(error, APIError) and error.status_code == 400:
                    return _unstartable(reason(error))
                raise
            return ExecResult(_exit_code(client, identifier), demultiplex(bytes(output)))


def _collect(answer: requests.Response, ends: float, output: bytearray) -> None:
    """Read to the end of the stream, or raise TimeoutError at `ends`, even if bytes still arrive."""
    try:
        response: Any = answer.raw._fp  # noqa: SLF001 - http.client's response: urllib3's reads until it has as much as was asked for
        while True:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if response.fp is None:
                return
            response.fp.raw._sock.settimeout(left)  # noqa: SLF001 - no public way leads to a deadline
            chunk = response.read1(1 << 16)
            if not chunk:
                return
            output.extend(chunk[: max(0, _KEPT - len(output))])
    finally:
        answer.close()


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
