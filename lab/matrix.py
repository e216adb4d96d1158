"""`make matrix`: the tests marked `matrix`, and one release on all engines, on each engine that the lab can start.

matrix.py [NAME …]    all by default; the names are those of lab/engines.py

It prints a table: engine, version, passed, failed, the digest of the release. Exit code 1: a test failed, or the digests
differ. Exit code 3: nothing failed, but one of the engines is not available on this machine; the reason is in the table.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parts import lab_state, swarm, talk, variants
from parts.errors import LabError, NotAvailableError
from parts.machine import report

FAILED, INCOMPLETE = 1, 3
MARKED = ("-m", "matrix", "tests/live/test_pipeline.py", "tests/live/test_engine.py", "tests/live/test_matrix.py")
SWARM = ("tests/live/test_cluster.py", "tests/live/test_swarm.py", "-k", "TestRealCluster or promoted_inspected")
TOGETHER = ("tests/live/test_matrix.py", "-k", "same_digests")
COLUMNS = ("engine", "version", "passed", "failed", "digest")


@dataclass
class Row:
    """The results of one engine. `missing` is the reason why it is not available on this machine."""

    name: str
    address: str = ""
    version: str = ""
    passed: int = 0
    failed: int = 0
    digest: str = ""
    missing: str = ""

    @property
    def bad(self) -> bool:
        return bool(self.failed or not self.passed or not self.digest)

    def cells(self) -> tuple[str, ...]:
        return (self.name, self.version, str(self.passed), str(self.failed), self.digest or "-")


def main(names: Sequence[str]) -> int:
    unknown = sorted({*names} - variants.VARIANTS.keys())
    if unknown:
        raise LabError(f"no engine is called {', '.join(unknown)}; the lab knows {', '.join(variants.VARIANTS)}.")
    state = lab_state.directory()
    rows = [Row(name) for name in names or variants.VARIANTS]
    try:
        for row in rows:
            _start(state, row)
            if not row.missing:
                report(f"running the tests on {row.name}, version {row.version}")
                _run(state, row)
        _compare([row for row in rows if not row.missing])
    finally:
        with lab_state.locked(state):
            _remove_swarm(state)
            variants.down_all(state)
    print(table(rows))
    return verdict(rows)


def _start(state: Path, row: Row) -> None:
    try:
        with lab_state.locked(state):
            row.address = variants.up(state, row.name)
    except NotAvailableError as error:
        row.missing = str(error)
    else:
        row.version = str(talk.engine_version(row.address)["Version"])


def _run(state: Path, row: Row) -> None:
    """Run the tests on one engine, and on a swarm of three such engines: Podman has none."""
    env = {"DOCKER_HOST": row.address, "PROMOTER_LAB_ENGINE": row.address}
    row.passed, row.failed, _ = _pytest(row.name, MARKED, env)
    if not variants.VARIANTS[row.name].podman:
        with lab_state.locked(state):
            _remove_swarm(state)  # that of another version
        passed, failed, _ = _pytest(f"{row.name}-swarm", SWARM, {**env, "PROMOTER_LAB_SWARM": ""})
        row.passed, row.failed = row.passed + passed, row.failed + failed


def _remove_swarm(state: Path) -> None:
    swarm.down(state / "swarm")
    lab_state.remember(state, {part: known for part, known in lab_state.recall(state).items() if part != "swarm"})


def _compare(rows: Sequence[Row]) -> None:
    """Promote one release to all engines: built once, recorded in one ledger."""
    if not rows:
        return
    report("promoting one release to all of them")
    addresses = " ".join(f"{row.name}={row.address}" for row in rows)
    passed, failed, digests = _pytest("together", TOGETHER, {"PROMOTER_LAB_ENGINES": addresses})
    for row in rows:
        row.passed, row.failed = row.passed + passed, row.failed + failed
        row.digest = digests.get(f"digest {row.name.replace('.', '-')}", "")


def _pytest(name: str, words: Sequence[str], env: Mapping[str, str]) -> tuple[int, int, dict[str, str]]:
    """Return how many tests passed and failed, and the properties that they recorded. A run without a result is a failure."""
    results = lab_state.CHECKOUT / f"build/matrix-{name}.xml"
    results.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "--durations=0", "--durations-min=1000", f"--junitxml={results}", *words]
    subprocess.run(command, cwd=lab_state.CHECKOUT, env={**os.environ, **env}, check=False)
    return counted(results.read_text()) if results.exists() else (0, 1, {})


def counted(junit: str) -> tuple[int, int, dict[str, str]]:
    """Read the results of a run of pytest. A skipped test counts as failed: every engine must run all of them."""
    suite = junit[junit.index("<testsuite ") :].partition(">")[0]
    numbers = {name: int(number) for name, number in re.findall(r' (tests|failures|errors|skipped)="(\d+)"', suite)}
    bad = numbers["failures"] + numbers["errors"] + numbers["skipped"]
    return numbers["tests"] - bad, bad, dict(re.findall(r'<property name="([^"]+)" value="([^"]*)"', junit))


def table(rows: Sequence[Row]) -> str:
    there = [row for row in rows if not row.missing]
    lines = [COLUMNS, *(row.cells() for row in there)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    output = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*output, *(row.missing for row in rows if row.missing)])


def verdict(rows: Sequence[Row]) -> int:
    there = [row for row in rows if not row.missing]
    if any(row.bad for row in there) or len({row.digest for row in there}) > 1:
        return FAILED
    return INCOMPLETE if len(there) < len(rows) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except LabError as error:
        report(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
