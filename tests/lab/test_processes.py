import os
from pathlib import Path

import pytest
from parts import processes
from parts.errors import LabError


def test_starts_detached_and_stops(tmp_path: Path) -> None:
    pidfile = tmp_path / "pid"
    pid = processes.start(["sleep", "60"], pidfile=pidfile, log=tmp_path / "log")
    assert processes.running(pidfile) == pid
    assert os.getsid(pid) == pid
    processes.stop(pidfile, grace=5)
    assert processes.running(pidfile) is None
    assert not pidfile.exists()


def test_leaves_a_process_alone_that_only_has_the_same_pid(tmp_path: Path) -> None:
    pidfile, other = tmp_path / "pid", tmp_path / "other"
    pid = processes.start(["sleep", "60"], pidfile=other, log=tmp_path / "log")
    pidfile.write_text(f"{pid} 1@another-boot\n")
    processes.stop(pidfile, grace=1)
    assert processes.running(other) == pid
    processes.stop(other, grace=5)


def test_kills_what_ignores_the_request(tmp_path: Path) -> None:
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    processes.start(["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], pidfile=pidfile, log=log)
    assert processes.until(lambda: "deaf" in log.read_text(), 5)
    processes.stop(pidfile, grace=0.1)
    assert processes.running(pidfile) is None


def test_the_error_shows_the_last_log_lines_of_a_dead_process(tmp_path: Path) -> None:
    pidfile, log = tmp_path / "pid", tmp_path / "log"
    processes.start(["sh", "-c", "echo no space left >&2; exit 1"], pidfile=pidfile, log=log)
    with pytest.raises(LabError, match=r"the daemon ended at once.*\n  no space left"):
        processes.await_ready(lambda: False, pidfile=pidfile, log=log, what="the daemon", deadline=5)
