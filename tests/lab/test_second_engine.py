"""The lab on a machine with another engine: one is started, with its `docker0`, where only this test sees it.

Separate namespaces for links and firewall, and a separate /run, act as such a machine: the engine answers at the default
socket there, and the lab finds it as on any other machine.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

import pytest
from parts import lab_state, processes

from tests.machine_state import Machine, differences

ROOT = Path(__file__).resolve().parents[2]
ENGINE = "unix:///var/run/docker.sock"
DOCKERFILE = 'FROM scratch\nCOPY busybox /bin/\nCMD ["/bin/busybox", "sleep", "1000000"]\n'


@dataclass
class OtherEngine:
    """The machine in the namespaces. `home` is visible from both sides; its paths are short, as a socket requires."""

    home: Path
    pid: int
    env: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, **env: str) -> str:
        inside = ["nsenter", f"--target={self.pid}", "--net", "--mount", "--wd=" + str(ROOT), *words]
        ran = subprocess.run(inside, capture_output=True, text=True, check=False, env={**self.env, **env}, timeout=300)
        assert ran.returncode == 0, f"{' '.join(words)}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def python(self, *words: str, **env: str) -> str:
        return self(sys.executable, "-B", *words, **env)

    def snapshot(self) -> Machine:
        return Machine(**json.loads(self.python("-m", "tests.machine_state")))

    def start(self, *words: str, name: str) -> None:
        inside = ["nsenter", f"--target={self.pid}", "--net", "--mount", *words]
        processes.start(inside, pidfile=self.home / f"{name}.pid", log=self.home / f"{name}.log", env=self.env)

    def lab(self, *words: str, state: str, **env: str) -> str:
        return self.python("lab/lab.py", *words, PROMOTER_LAB_STATE=str(self.home / state), **env)

    def lab_env(self, state: str) -> Mapping[str, str]:
        lines = self.lab("env", state=state).splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)


@pytest.fixture
def other_engine(engine_url: str, busybox_dir: Path) -> Iterator[OtherEngine]:
    """The machine with an engine whose default bridge has a container. The lab's own starts first: it installs the programs."""
    del engine_url
    with _another() as made:
        _add_container(made, busybox_dir)
        yield made


@pytest.fixture
def cramped(engine_url: str) -> Iterator[OtherEngine]:
    """The machine with an engine that has addresses for four networks."""
    del engine_url
    with _another("--default-address-pool", "base=10.9.0.0/24,size=26") as made:
        yield made


@contextmanager
def _another(*options: str) -> Iterator[OtherEngine]:
    """Start such a machine. `options` are options of its engine."""
    missing = [program for program in ("dockerd", "unshare", "nsenter", "ip", "iptables") if not shutil.which(program)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a machine within the machine needs root, and {', '.join(missing) or 'nothing else'}")
    home = Path(mkdtemp(prefix="els-", dir="/var/tmp"))
    (home / "run").mkdir()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PROMOTER_", "DOCKER_"))}
    env |= {"PYTHONPATH": f"{ROOT}:{ROOT}/lab", "PROMOTER_LAB_STATE": str(home / "lab")}
    with subprocess.Popen(["unshare", "--net", "--mount", "sleep", "infinity"]) as holder:
        made = OtherEngine(home, holder.pid, env)
        try:
            _begin(made, *options)
            yield made
        finally:
            with suppress(AssertionError):
                made.lab("engine-stop", str(home / "own"), "0", state="own")
            with suppress(AssertionError):
                made.lab("down", state="lab")
            processes.stop(home / "dockerd.pid", grace=20)
            holder.kill()
    shutil.rmtree(home, ignore_errors=True)


def _begin(machine: OtherEngine, *options: str) -> None:
    home = machine.home
    own, there = (Path(f"/proc/{process}/ns/mnt") for process in ("self", machine.pid))
    assert processes.until(lambda: own.readlink() != there.readlink(), 10)
    machine("ip", "link", "set", "lo", "up")
    machine("mount", "--bind", str(home / "run"), "/run")
    machine.start("dockerd", "--data-root", str(home / "data"), "--exec-root", str(home / "exec"), *options, name="dockerd")
    assert processes.until((home / "run/docker.sock").exists, 60), processes.tail(home / "dockerd.log")


def _add_container(machine: OtherEngine, busybox: Path) -> None:
    home = machine.home
    (home / "image").mkdir()
    (home / "image/Dockerfile").write_text(DOCKERFILE)
    shutil.copy2(busybox / "busybox", home / "image/busybox")
    script = (
        f"import docker; client = docker.DockerClient(base_url='{ENGINE}'); client.images.build(path='{home}/image', tag='db')\n"
        "client.containers.run('db', detach=True, name='db', stop_signal='SIGKILL')"
    )
    machine.python("-c", script)


def test_the_lab_the_demo_and_engines_that_start_twice_leave_it_as_it_was(other_engine: OtherEngine) -> None:
    before = other_engine.snapshot()
    assert "docker0" in before.links
    assert before.containers["/db"].endswith("running")

    _lend_packages(other_engine.home / "lab")
    other_engine.lab("up", state="lab")
    found = other_engine.lab_env("lab")
    assert found["PROMOTER_LAB_ENGINE"] == ENGINE
    demo = _demo(other_engine, found)
    assert "Exit code 3" in demo and "Exit code 0" in _demo(other_engine, found)
    assert differences(before, other_engine.snapshot()) == []

    state = str(other_engine.home / "own")
    (other_engine.home / "own").mkdir()
    for verb in ("engine-start", "engine-restart", "engine-kill", "engine-stop"):
        other_engine.lab(verb, state, "0", state="own")
        assert differences(before, other_engine.snapshot()) == [], verb

    other_engine.lab("down", state="lab")
    assert differences(before, other_engine.snapshot()) == []


def _lend_packages(state: Path) -> None:
    """Link what this checkout's lab has unpacked: that machine has no network connection."""
    state.mkdir(mode=0o700)
    if (unpacked := lab_state.directory() / "packages").exists():
        (state / "packages").symlink_to(unpacked)


def _demo(machine: OtherEngine, found: Mapping[str, str]) -> str:
    """Run the demo in a copy of the checkout: its ledger is not the one of this checkout."""
    copy = machine.home / "checkout"
    for folder in ("lab", "pipelines"):
        shutil.copytree(
            ROOT / folder, copy / folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".promoter", "__pycache__")
        )
    return machine.python(str(copy / "lab/demo.py"), **found)


FILL = f"""
from promoter.adapters.engine.connect import open_engine
from promoter.model.errors import EngineError
from promoter.promotion.ports.container import NetworkSpec
engine = open_engine("{ENGINE}")
try:
    for number in range(8):
        engine.ensure_network(NetworkSpec(f"shop-{{number}}"), {{}})
except EngineError as error:
    print(error.message)
    print(error.hint)
"""


def test_an_engine_without_free_network_addresses_is_reported_with_a_hint(cramped: OtherEngine) -> None:
    message, hint = cramped.python("-c", FILL).splitlines()
    assert message.startswith("network shop-") and "could not be created: " in message
    assert "no addresses left" in hint and "docker network prune" in hint and "default-address-pools" in hint
