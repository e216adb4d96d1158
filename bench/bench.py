"""The job beside its peers, in one run on one machine: medians of interleaved rounds, and their ratios to the targets.

    make bench                   5 rounds
    make bench ARGS="--rounds 9 --without ansible"

Absolute times say little on a busy machine; ratios within one run say more. bench/results.json has all rounds.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import gates
import ledgers
import peers
from parts.sweep import sweep
from peers import Absent, Peer

JOB = "build, push, dev, test, prod"
MAKERS: dict[str, Callable[[str, Path], Peer]] = {
    "promoter": peers.promoter,
    "shell": peers.shell,
    "ansible": peers.ansible,
    "raw": peers.raw,
}
TARGETS = {"shell script": 0.40, "Ansible": 0.10, "raw HTTP": 1.20}


@dataclass(frozen=True)
class Row:
    work: str
    peer: str
    ours: float
    theirs: float
    target: float

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    def line(self) -> str:
        verdict = "ok" if self.ratio <= self.target else "MISSED"
        times = f"{_ms(self.ours)} {_ms(self.theirs)} {self.ratio:>8.2f} {self.target:>8.2f}"
        return f"{self.work:<30} {self.peer:<14} {times}  {verdict}"


def main() -> int:
    asked = _arguments()
    run = f"bench-{uuid4().hex[:6]}"
    with tempfile.TemporaryDirectory(prefix="promoter-bench-") as where:
        taking_part = _taking_part(run, Path(where), asked.without)
        try:
            times, rows = _job(taking_part, asked.rounds)
            more_times, more_rows = _commands(taking_part["promoter"], max(15, asked.rounds))
            long_times, long_rows, inside = _ledgers(taking_part["promoter"].argv[0], Path(where), asked.rounds)
        finally:
            for peer in taking_part.values():
                sweep(os.environ["DOCKER_HOST"], peer.env["BENCH_NAME"])
    print(f"\n{'work':<30} {'peer':<14} {'promoter':>9} {'peer':>9} {'ratio':>8} {'target':>8}")
    print("\n".join(row.line() for row in rows + more_rows + long_rows))
    print(
        f"\nmedians of {asked.rounds} interleaved rounds, ms; commands of {max(15, asked.rounds)}; load {os.getloadavg()[0]:.1f}"
    )
    results = gates.measure()
    print("\n" + "\n".join([*gates.lines(results), *ledgers.lines(inside)]))
    print(f"\nmedians of {gates.ROUNDS} rounds in one process, of {ledgers.APPENDS} for appends")
    seconds = times | more_times | long_times | inside | results
    (peers.ROOT / "bench/results.json").write_text(json.dumps({"seconds": seconds}, indent=1) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the job (5)")
    parser.add_argument(
        "--without", action="append", default=[], choices=[n for n in MAKERS if n != "promoter"], help="leave a peer out"
    )
    return parser.parse_args()


def _taking_part(run: str, where: Path, without: list[str]) -> dict[str, Peer]:
    found: dict[str, Peer] = {}
    for name, make in MAKERS.items():
        if name in without:
            continue
        try:
            peer = make(run, where)
            peer.run(0)  # fills the build cache and makes the networks; it does not count
            found[name] = peer
        except Absent as reason:
            if name == "promoter":
                raise SystemExit(f"bench: {reason}") from reason
            print(f"bench: left out: {reason}", file=sys.stderr)
    return found


def _job(taking_part: dict[str, Peer], rounds: int) -> tuple[dict[str, list[float]], list[Row]]:
    times: dict[str, list[float]] = {peer.name: [] for peer in taking_part.values()}
    for number in range(1, rounds + 1):
        for peer in taking_part.values():
            times[peer.name].append(_timed(partial(peer.run, number)))
        output = "  ".join(f"{name} {_ms(values[-1]).strip()}" for name, values in times.items())
        print(f"bench: round {number} of {rounds}: {output}", file=sys.stderr, flush=True)
    ours = median(times["promoter"])
    return times, [Row(JOB, name, ours, median(v), TARGETS[name]) for name, v in times.items() if name in TARGETS]


def _commands(promoter: Peer, rounds: int) -> tuple[dict[str, list[float]], list[Row]]:
    command = promoter.argv[0]
    argvs = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "--help": [command, "--help"],
        "validate": [command, "validate", "pipeline.yaml"],
    }
    times: dict[str, list[float]] = {name: [] for name in argvs}
    env = {**os.environ, **promoter.env, "BENCH_ROUND": "r0"}
    for _ in range(rounds):
        for name, argv in argvs.items():
            times[name].append(_timed(partial(_quiet, argv, promoter.cwd, env)))
    bare = median(times["python -c pass"])
    targets = {"--help": 16.0, "validate": 40.0}
    return times, [
        Row(f"promoter {name}", "python -c pass", median(times[name]), bare, target) for name, target in targets.items()
    ]


def _ledgers(command: str, where: Path, rounds: int) -> tuple[dict[str, list[float]], list[Row], dict[str, list[float]]]:
    print("bench: a ledger of a million facts, which takes two minutes", file=sys.stderr, flush=True)
    made = ledgers.make(where)
    argvs = ledgers.commands(command, made)
    times: dict[str, list[float]] = {name: [] for name in argvs}
    for _ in range(max(5, rounds)):
        for name, argv in argvs.items():
            times[name].append(_timed(partial(_quiet, argv, where, dict(os.environ))))
    short, long, verify, peer = times
    found = {name: median(values) for name, values in times.items()}
    rows = [
        Row(long, "1,000 facts", found[long], found[short], 1.5),
        Row(f"ledger {verify}", peer, found[verify], found[peer], 20.0),
    ]
    return times, rows, ledgers.appends(made)


def _quiet(argv: list[str], cwd: Path, env: dict[str, str]) -> None:
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: `{' '.join(argv)}` failed:\n{done.stdout}{done.stderr}")


def _timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:>9.0f}"


if __name__ == "__main__":
    sys.exit(main())
