"""The tools that do the job: promoter and its peers. Each is a command and an environment, or the reason why it is absent."""

import os
import re
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import measure
from parts import talk

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
ANSIBLE = ROOT / ".lab/ansible"
START_INTERVAL = (1, 44)


class Absent(Exception):
    """A peer cannot take part; the message has the reason."""


@dataclass(frozen=True)
class Peer:
    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path

    def environ(self, number: int) -> dict[str, str]:
        """Return the environment of a round. Its label is unique, so that no build finds the work of another peer."""
        return {**os.environ, **self.env, "BENCH_ROUND": f"{self.cwd.name}-r{number}"}

    def run(self, number: int) -> measure.Cost:
        """Run one round. A failure ends the bench with its output."""
        try:
            return measure.run(self.argv, self.cwd, self.environ(number))
        except measure.Failed as error:
            raise Absent(f"{self.name}: {error}") from error


def promoter(run: str, where: Path) -> Peer:
    peer = _peer("promoter", run, where, str(BIN / "promoter"), "run", "pipeline.yaml", "--actor", "bench@example.com")
    file = peer.cwd / "pipeline.yaml"
    file.write_text(re.sub(r"(?m)^name: .*$", f"name: {peer.env['BENCH_NAME']}", file.read_text()))
    return peer


def raw(run: str, where: Path) -> Peer:
    return _peer("raw HTTP", run, where, sys.executable, "raw.py")


def shell(run: str, where: Path) -> Peer:
    return _script("shell script", run, where)


def tuned(run: str, where: Path) -> Peer:
    """Return the same script with a health check every 100 ms until the first success, which engines from 25.0 can do."""
    api = str(talk.engine_version(os.environ["DOCKER_HOST"])["ApiVersion"])
    if tuple(int(part) for part in api.split(".")) < START_INTERVAL:
        raise Absent(f"tuned script: a health start interval needs engine 25.0; this one has API {api}")
    return _script("tuned script", run, where, BENCH_HEALTH="--health-start-interval=100ms --health-start-period=30s")


def _script(name: str, run: str, where: Path, **env: str) -> Peer:
    missing = [program for program in ("bash", "docker", "curl") if not shutil.which(program)]
    if missing:
        raise Absent(f"{name}: no {' and no '.join(missing)} on PATH")
    return _peer(name, run, where, "bash", "shell.sh", DOCKER_BUILDKIT="0", **env)


def ansible(run: str, where: Path) -> Peer:
    play = ANSIBLE / "bin/ansible-playbook"
    if not play.exists():
        print("bench: installing Ansible into .lab/ansible, once", file=sys.stderr, flush=True)
        venv.create(ANSIBLE, with_pip=True, clear=True)
        pip = [
            str(ANSIBLE / "bin/python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--require-hashes",
            "-r",
            str(ROOT / "requirements/bench.txt"),
        ]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            shutil.rmtree(ANSIBLE)
            raise Absent(f"Ansible cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    env = {"ANSIBLE_PYTHON_INTERPRETER": str(ANSIBLE / "bin/python"), "ANSIBLE_LOCALHOST_WARNING": "False"}
    return _peer("Ansible", run, where, str(play), "-i", "localhost,", "playbook.yml", **env)


def _peer(name: str, run: str, where: Path, *argv: str, **env: str) -> Peer:
    """Make a peer with a separate directory, names and ports, so that none finds the work of another done."""
    folder = where / name.replace(" ", "-").lower()
    shutil.copytree(ROOT / "bench/job", folder)
    shutil.copy(Path(os.environ["PROMOTER_LAB_BUSYBOX"]) / "busybox", folder / "busybox")
    ports = zip(("DEV", "TEST", "PROD"), _free_ports(3), strict=True)
    own = {"BENCH_NAME": f"{run}-{folder.name}", **{f"BENCH_PORT_{stage}": str(port) for stage, port in ports}}
    return Peer(name, argv, {**own, **env}, folder)


def _free_ports(count: int) -> list[int]:
    """Return free ports, all reserved at once, so that they differ."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()
