"""The job and its peers, in one run on one machine: medians of interleaved rounds, and their ratios to the targets.

    make bench                                    5 rounds on the lab's engine
    make bench ARGS="--engine docker-28"          on another engine, which has the tuned script as a peer
    make bench ARGS="--rounds 9 --without ansible --without ledgers"

Absolute times on a busy machine are not reliable; ratios within one run are. bench/results.json has all rounds.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import gates
import ledgers
import measure
import peers
from measure import Cost
from parts import lab_state, variants
from parts.sweep import sweep
from peers import Absent, Peer

JOB = "build, push, dev, test, prod"
BARE = "python -c pass"
MAKERS: dict[str, Callable[[str, Path], Peer]] = {
    "promoter": peers.promoter,
    "shell": peers.shell,
    "tuned": peers.tuned,
    "ansible": peers.ansible,
    "raw": peers.raw,
}
TARGETS = {"shell script": 0.30, "tuned script": 0.62, "Ansible": 0.08, "raw HTTP": 1.20}
COMMANDS = {"first request": 20.0, "--help": 6.0, "validate": 20.0, "status": 30.0}
PROCESSOR, MEMORY = 35.0, 90e6
FEWEST = 15


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
        times = f"{self.ours * 1000:>9.0f} {self.theirs * 1000:>9.0f} {self.ratio:>8.2f} {self.target:>8.2f}"
        return f"{self.work:<30} {self.peer:<14} {times}  {verdict}"


Times = dict[str, list[float]]


def main() -> int:
    asked = _arguments()
    with _engine(asked.engine), tempfile.TemporaryDirectory(prefix="promoter-bench-") as where:
        taking_part = _taking_part(f"bench-{uuid4().hex[:6]}", Path(where), asked.without)
        try:
            costs = _job(taking_part, asked.rounds)
            times = _commands(taking_part, max(FEWEST, asked.rounds))
        finally:
            for peer in taking_part.values():
                sweep(os.environ["DOCKER_HOST"], peer.env["BENCH_NAME"])
        own = measure.medians(costs["promoter"])
        rows = [*_job_rows(costs), *_command_rows(times, own)]
        print(f"\n{'work':<30} {'peer':<14} {'promoter':>9} {'peer':>9} {'ratio':>8} {'target':>8}")
        print("\n".join(row.line() for row in rows))
        print(f"peak memory of the job: {own.memory / 1e6:.0f} MB, target {MEMORY / 1e6:.0f} MB")
        print(f"medians of {asked.rounds} interleaved rounds, ms; commands of {max(FEWEST, asked.rounds)}", flush=True)
        results: dict[str, object] = {
            "job": {name: [asdict(cost) for cost in values] for name, values in costs.items()},
            "commands": times,
        }
        if "ledgers" not in asked.without:
            results["ledgers"] = _ledgers(taking_part["promoter"].argv[0], Path(where), asked.rounds)
    (peers.ROOT / "bench/results.json").write_text(json.dumps(results, indent=1) + "\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the job (5)")
    parser.add_argument("--engine", choices=list(variants.VARIANTS), help="another engine than the lab's own")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=[*(n for n in MAKERS if n != "promoter"), "ledgers"],
        help="leave a peer out, or the ledgers and gates",
    )
    return parser.parse_args()


@contextmanager
def _engine(name: str | None) -> Iterator[None]:
    if name is None:
        yield
        return
    state = lab_state.directory()
    try:
        with lab_state.locked(state):
            os.environ["DOCKER_HOST"] = variants.up(state, name)
        yield
    finally:
        with lab_state.locked(state):
            variants.down(state, name)


def _taking_part(run: str, where: Path, without: Sequence[str]) -> dict[str, Peer]:
    found: dict[str, Peer] = {}
    for name, make in MAKERS.items():
        if name in without:
            continue
        try:
            peer = make(run, where)
            peer.run(0)  # fills the build cache and makes the networks; it is not measured
            found[name] = peer
        except Absent as reason:
            if name == "promoter":
                raise SystemExit(f"bench: {reason}") from reason
            print(f"bench: left out: {reason}", file=sys.stderr)
    return found


def _job(taking_part: Mapping[str, Peer], rounds: int) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {peer.name: [] for peer in taking_part.values()}
    for number in range(1, rounds + 1):
        for peer in taking_part.values():
            with measure.paused(os.environ["DOCKER_HOST"], _names(taking_part, peer)):
                costs[peer.name].append(peer.run(number))
        output = "  ".join(f"{name} {values[-1].seconds * 1000:.0f}" for name, values in costs.items())
        print(f"bench: round {number} of {rounds}: {output}", file=sys.stderr, flush=True)
    return costs


def _names(taking_part: Mapping[str, Peer], without: Peer | None = None) -> list[str]:
    return [peer.env["BENCH_NAME"] for peer in taking_part.values() if peer is not without]


def _job_rows(costs: Mapping[str, Sequence[Cost]]) -> list[Row]:
    medians = {name: measure.medians(values).seconds for name, values in costs.items()}
    return [Row(JOB, name, medians["promoter"], medians[name], target) for name, target in TARGETS.items() if name in medians]


def _commands(taking_part: Mapping[str, Peer], rounds: int) -> Times:
    """Measure each command beside `python -c pass`. `status` needs the engine's three containers, which run meanwhile."""
    promoter, engine = taking_part["promoter"], os.environ["DOCKER_HOST"]
    command, env = promoter.argv[0], promoter.environ(0)
    times: Times = {name: [] for name in (BARE, *COMMANDS)}
    others, all_names = _names(taking_part, promoter), _names(taking_part)
    for _ in range(rounds):
        with measure.paused(engine, all_names):
            for name, argv in ((BARE, [sys.executable, "-c", "pass"]), *((n, [command, n]) for n in ("--help", "validate"))):
                times[name].append(measure.run(argv, promoter.cwd, env).seconds)
            times["first request"].append(measure.until_first_request(promoter.argv, promoter.cwd, env))
        with measure.paused(engine, others):
            times["status"].append(measure.run([command, "status"], promoter.cwd, env).seconds)
    return times


def _command_rows(times: Times, own: Cost) -> list[Row]:
    bare = median(times[BARE])
    rows = [Row(f"promoter {name}", BARE, median(times[name]), bare, target) for name, target in COMMANDS.items()]
    return [*rows, Row("the job's processor time", BARE, own.processor, bare, PROCESSOR)]


def _ledgers(command: str, where: Path, rounds: int) -> Mapping[str, object]:
    print("bench: a ledger of a million facts, which takes two minutes", file=sys.stderr, flush=True)
    made = ledgers.make(where)
    argvs = ledgers.commands(command, made)
    times: Times = {name: [] for name in argvs}
    for _ in range(max(5, rounds)):
        for name, argv in argvs.items():
            times[name].append(measure.run(argv, where, os.environ).seconds)
    short, long, verify, peer = times
    found = {name: median(values) for name, values in times.items()}
    rows = [
        Row(long, "1,000 facts", found[long], found[short], 1.5),
        Row(f"ledger {verify}", peer, found[verify], found[peer], 20.0),
    ]
    inside, evaluated = ledgers.appends(made), gates.measure()
    print("\n".join(["", *(row.line() for row in rows), "", *gates.lines(evaluated), *ledgers.lines(inside)]))
    print(f"\nmedians of {gates.ROUNDS} rounds in one process, of {ledgers.APPENDS} for appends")
    return {**times, **inside, **evaluated}


if __name__ == "__main__":
    sys.exit(main())
