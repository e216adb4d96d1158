"""What the test run reports as damage to the machine, and what it ignores as changes by others."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.machine_state import Machine, differences, persistent, snapshot

ROOT = Path(__file__).resolve().parents[2]
BEFORE = Machine(
    links={"eth0": "up 192.0.2.2/24", "docker0": "up 172.17.0.1/16"},
    rules={"filter :FORWARD DROP": "there", "filter -A FORWARD -o docker0 -j DOCKER": "there"},
    networks={"bridge": "1234"},
    containers={"/db": "abcd running"},
)


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (replace(BEFORE, links={"eth0": "up 192.0.2.2/24"}), "link docker0 is gone"),
        (
            replace(BEFORE, links={**BEFORE.links, "docker0": "down 172.17.0.1/16"}),
            "link docker0 was up 172.17.0.1/16, and is down 172.17.0.1/16",
        ),
        (
            replace(BEFORE, rules={"filter :FORWARD ACCEPT": "there", "filter -A FORWARD -o docker0 -j DOCKER": "there"}),
            "rule filter :FORWARD DROP is gone",
        ),
        (replace(BEFORE, networks={}), "network bridge is gone"),
        (replace(BEFORE, containers={"/db": "abcd exited"}), "container /db was abcd running, and is abcd exited"),
        (
            replace(BEFORE, strays=("0a1b2c3d",)),
            "the lab 0a1b2c3d has left a link or a rule behind, and has no engine",
        ),
    ],
)
def test_harm_is_named(after: Machine, message: str) -> None:
    assert differences(BEFORE, after) == [message]


def test_what_others_add_is_theirs_and_so_is_what_they_had_left_before() -> None:
    untidy = replace(BEFORE, strays=("0a1b2c3d",))
    assert differences(untidy, replace(untidy, links={**untidy.links, "br-1": "up 172.18.0.1/16"}, strays=())) == []
    assert differences(untidy, untidy) == []


def test_a_difference_that_passes_is_none() -> None:
    half_way = [replace(BEFORE, strays=("0a1b2c3d",)), BEFORE]
    assert persistent(BEFORE, lambda: half_way.pop(0), lambda _: None) == []
    assert persistent(BEFORE, Machine, lambda _: None) == differences(BEFORE, Machine())


def test_a_snapshot_lists_the_links_of_this_machine() -> None:
    if sys.platform != "linux":
        pytest.skip("links are looked at as Linux has them")
    assert "lo" in snapshot().links


def test_a_run_of_tests_that_harmed_the_machine_fails_and_names_the_harm(tmp_path: Path) -> None:
    """As pytest is run: the one test passes, and the link is missing afterwards."""
    (tmp_path / "conftest.py").write_text(
        "from tests import machine_state\n"
        "from tests.machine_state import pytest_sessionfinish, pytest_sessionstart, pytest_terminal_summary\n"
        "looks = [machine_state.Machine({'docker0': 'up'})]\n"
        "machine_state.snapshot = lambda: looks.pop() if looks else machine_state.Machine()\n"
        "machine_state.persistent.__defaults__ = (machine_state.snapshot, lambda _: None)\n"
    )
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert True\n")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "1", "-o", f"pythonpath={ROOT} {ROOT}/lab"]
    ran = subprocess.run(
        [*words, "--rootdir", str(tmp_path), str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "this machine is not as it was before the tests" in ran.stdout
    assert "link docker0 is gone" in ran.stdout
    assert "1 passed" in ran.stdout


def test_a_snapshot_can_be_sent_to_another_process() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.machine_state"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT}/lab", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert "lo" in Machine(**json.loads(ran.stdout)).links
