"""The cost of one process: its time, its processor time, its memory, and the time until its first request to the engine."""

import json
import os
import resource
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from parts.sweep import labelled
from parts.talk import connection

TIMEOUT = 60.0


class Failed(Exception):
    """A measured command failed; the message has its output."""


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, seconds of processor time (user and system, with its ended children), and peak memory in bytes."""

    seconds: float
    processor: float
    memory: int


def run(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Cost:
    """Run a command to its end. Raise Failed with its output if its exit code is not 0."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)  # as Popen.wait does: it must not wait again
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")[-2000:]
            raise Failed(f"`{' '.join(argv)}` failed with exit code {process.returncode}:\n{text}")
    return Cost(seconds, _processor(usage), usage.ru_maxrss * 1024)


def _processor(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def until_first_request(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """Return the seconds until a command sends its first request to the engine. The command is then ended: nothing answers it."""
    with tempfile.TemporaryDirectory(prefix="promoter-bench-") as where, socket.socket(socket.AF_UNIX) as engine:
        path = Path(where) / "engine.sock"
        engine.bind(str(path))
        engine.listen()
        engine.settimeout(TIMEOUT)
        start = time.perf_counter()
        with subprocess.Popen(
            argv, cwd=cwd, env={**env, "DOCKER_HOST": f"unix://{path}"}, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                caller, _ = engine.accept()
                with caller:
                    caller.settimeout(TIMEOUT)
                    caller.recv(1)
                    return time.perf_counter() - start
            finally:
                process.kill()


def medians(costs: Sequence[Cost]) -> Cost:
    """Return the medians."""
    return Cost(median(c.seconds for c in costs), median(c.processor for c in costs), int(median(c.memory for c in costs)))


@contextmanager
def paused(engine: str, pipelines: Sequence[str]) -> Iterator[None]:
    """Pause the containers of these pipelines: their health checks would take processor time from the measured command."""
    found = [
        container["Id"]
        for name in pipelines
        for container in labelled(engine, "containers", name)
        if container["State"] == "running"
    ]
    try:
        for identifier in found:
            _post(engine, f"/containers/{identifier}/pause")
        yield
    finally:
        for identifier in found:
            _post(engine, f"/containers/{identifier}/unpause")


def _post(engine: str, path: str) -> None:
    talk = connection(engine, timeout=TIMEOUT)
    try:
        talk.request("POST", path)
        answer = talk.getresponse()
        text = answer.read().decode()
        if answer.status >= 400:
            raise Failed(f"POST {path}: {answer.status} {json.loads(text).get('message', text)}")
    finally:
        talk.close()
