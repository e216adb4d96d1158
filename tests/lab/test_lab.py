"""The lab's own command, beside the lab of these tests: with a separate state directory, engine and registry."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree, which
from tempfile import mkdtemp
from threading import Timer

import pytest
from parts import processes
from parts.lab_state import tag
from parts.talk import engine_silent, registry_silent

LAB = Path(__file__).resolve().parents[2] / "lab/lab.py"
Lab = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def state() -> Iterator[Path]:
    """A directory with a short path, as a socket requires."""
    made = Path(mkdtemp(prefix="lab-", dir="/var/tmp"))
    yield made
    rmtree(made, ignore_errors=True)


@pytest.fixture
def run(state: Path, engine_url: str) -> Iterator[Lab]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PROMOTER_LAB", "DOCKER"))}

    def lab(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
        full = clean | {"PROMOTER_LAB_STATE": str(state), "PROMOTER_LAB_ENGINE": engine_url} | env
        return subprocess.run([sys.executable, "-B", str(LAB), *words], env=full, capture_output=True, text=True, check=False)

    yield lab
    lab("down")


def exports(lab: Lab, **env: str) -> dict[str, str]:
    lines = lab("env", **env).stdout.splitlines()
    return {name: value for name, _, value in (line.removeprefix("export ").partition("=") for line in lines)}


def test_uses_what_is_named_and_leaves_it_running(run: Lab, engine_url: str, registry_host: str) -> None:
    up = run("up", PROMOTER_LAB_REGISTRY=registry_host)
    assert up.returncode == 0, up.stderr
    named = exports(run, PROMOTER_LAB_REGISTRY=registry_host)
    assert (named["DOCKER_HOST"], named["PROMOTER_LAB_REGISTRY"]) == (engine_url, registry_host)
    assert run("down").returncode == 0
    assert engine_silent(engine_url) is None
    assert registry_silent(registry_host) is None


def test_starts_one_registry_for_two_that_ask_at_once_and_takes_it_away(run: Lab, state: Path, engine_url: str) -> None:
    env = os.environ | {"PROMOTER_LAB_STATE": str(state), "PROMOTER_LAB_ENGINE": engine_url}
    env.pop("PROMOTER_LAB_REGISTRY", None)
    both = [
        subprocess.Popen([sys.executable, "-B", str(LAB), "up"], env=env, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    output = "".join(process.communicate()[1] for process in both)
    assert [process.returncode for process in both] == [0, 0], output
    assert output.count("a registry answers") == 1
    host = exports(run)["PROMOTER_LAB_REGISTRY"]
    assert registry_silent(host) is None
    assert run("status").returncode == 0
    assert run("down").returncode == 0
    assert registry_silent(host) is not None
    assert not state.exists()


def test_naming_a_part_leaves_the_own_one_alone(run: Lab, registry_host: str) -> None:
    assert run("up").returncode == 0
    own = exports(run)["PROMOTER_LAB_REGISTRY"]
    assert run("up", PROMOTER_LAB_REGISTRY=registry_host).returncode == 0
    assert exports(run, PROMOTER_LAB_REGISTRY=registry_host)["PROMOTER_LAB_REGISTRY"] == registry_host
    assert registry_silent(own) is None
    assert exports(run)["PROMOTER_LAB_REGISTRY"] == own


def test_a_part_that_runs_and_is_slow_to_answer_is_not_taken_away(run: Lab, state: Path) -> None:
    """On a slow machine an answer takes longer than one look. A new one would have another address, and no content."""
    assert run("up").returncode == 0
    own, pid = exports(run)["PROMOTER_LAB_REGISTRY"], processes.running(state / "registry/registry.pid")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    later = Timer(13, os.kill, (pid, signal.SIGCONT))
    later.start()
    try:
        up = run("up")
    finally:
        later.join()
    assert up.returncode == 0, up.stderr
    assert exports(run)["PROMOTER_LAB_REGISTRY"] == own
    assert processes.running(state / "registry/registry.pid") == pid


def test_a_configured_engine_that_does_not_answer_is_named(run: Lab) -> None:
    up = run("up", PROMOTER_LAB_ENGINE="unix:///nowhere.sock")
    assert up.returncode == 1
    assert "PROMOTER_LAB_ENGINE names unix:///nowhere.sock, which does not answer" in up.stderr
    assert "Traceback" not in up.stderr


def test_status_and_env_fail_before_up(run: Lab) -> None:
    assert run("status").returncode == 1
    env = run("env")
    assert (env.returncode, env.stdout) == (1, "")
    assert "`lab/lab.py up` first" in env.stderr


def test_a_private_engine_changes_no_other_engine_and_is_removed(run: Lab, state: Path) -> None:
    if os.geteuid() != 0 or not which("dockerd"):
        pytest.skip("a second engine needs root and dockerd")
    own = f"unix://{state}/engine/docker.sock"
    start = run("engine-start", str(state), "0")
    assert start.returncode == 0, start.stderr
    assert engine_silent(own) is None
    assert tag(state) in _network()
    assert tag(state) in _rules()
    assert run("engine-stop", str(state), "0").returncode == 0
    assert engine_silent(own) is not None
    assert tag(state) not in _network() + _rules()
    assert not (state / "engine").exists()


def _network() -> str:
    return subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout


def _rules() -> str:
    return subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
