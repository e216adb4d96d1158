"""How the time grows: with environments, with hosts, and drift beside what it reads.

    make bench-scale                             medians of 5 rounds
    make bench-scale ARGS="--rounds 3 --hosts 4"

Each host is an engine of its own on this machine, so the engines share its processors: with two of them, ten hosts need
about as much time of the processors as ten engines do. The line `processor` shows promoter's own part.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

import measure
from measure import Cost
from parts import engine as engines
from parts.front_images import build_all
from parts.sweep import sweep

ENVIRONMENTS, TARGET_ENVIRONMENTS, TARGET_HOSTS, TARGET_DRIFT = 30, 6.0, 2.5, 1.5
PIPELINE = """\
name: {name}
services:
  web:
    image: {image}
    environment: {{ROUND: "{{{{ env('BENCH_ROUND', '0') }}}}"}}
    healthcheck: {{test: ["CMD-SHELL", "wget -qO- http://127.0.0.1:8080/"], interval: 1s}}
    stop_grace_period: 1s
environments:
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hosts", type=int, default=10)
    asked = parser.parse_args()
    contexts = {"distribution": Path(os.environ["PROMOTER_LAB_HAPROXY"].split(os.pathsep)[0])}
    image = build_all(os.environ["DOCKER_HOST"], os.environ["PROMOTER_LAB_REGISTRY"], contexts)["one"]
    print(f"{'work':<28} {'beside':<22} {'ms':>8} {'ms':>8} {'ratio':>7} {'target':>7}")
    with _pipeline(image, _environments(1)) as one, _pipeline(image, _environments(ENVIRONMENTS)) as many:
        _compare(f"{ENVIRONMENTS} environments", "one", TARGET_ENVIRONMENTS, _rounds(many, one, asked.rounds))
    with _pipeline(image, _environments(3)) as three:
        _run(three, "run")
        _compare("drift of 3 environments", "docker inspect", TARGET_DRIFT, _drift(three, asked.rounds))
    with (
        _fleet(asked.hosts) as addresses,
        _pipeline(image, _hosts(addresses)) as many,
        _pipeline(image, _hosts(addresses[:1])) as one,
    ):
        _compare(f"{asked.hosts} hosts", "one host", TARGET_HOSTS, _rounds(many, one, asked.rounds))
        for address in addresses:
            for directory in (many, one):
                sweep(address, directory.name)
    return 0


# ------------------------------------------------------------ what is measured
def _rounds(many: Path, one: Path, rounds: int) -> list[tuple[Cost, Cost]]:
    """Run both, one after the other, with another configuration each time: every round replaces every container."""
    for directory in (many, one):
        _run(directory, "run")
    return [(_run(many, "run", number), _run(one, "run", number)) for number in range(1, rounds + 1)]


def _drift(directory: Path, rounds: int) -> list[tuple[Cost, Cost]]:
    names = [f"{directory.name}-e{number}-web" for number in range(3)]
    inspect = ["docker", "inspect", *names]
    _run(directory, "drift")
    return [(_run(directory, "drift"), measure.run(inspect, directory, dict(os.environ))) for _ in range(rounds)]


def _compare(work: str, peer: str, target: float, costs: list[tuple[Cost, Cost]]) -> None:
    parts: tuple[tuple[str, Callable[[Cost], float]], ...] = (
        ("", lambda cost: cost.seconds),
        ("  processor", lambda cost: cost.processor),
    )
    for label, read in parts:
        ours, theirs = median(read(one) for one, _ in costs), median(read(other) for _, other in costs)
        verdict = "" if label else "ok" if ours / theirs <= target else "MISSED"
        shown = f"{target:>7.1f}  {verdict}" if not label else ""
        print(
            f"{label or work:<28} {peer:<22} {ours * 1000:>8.0f} {theirs * 1000:>8.0f} {ours / theirs:>7.2f} {shown}",
            flush=True,
        )


def _run(directory: Path, verb: str, number: int = 0) -> Cost:
    command = [str(Path(sys.executable).parent / "promoter"), verb, "--actor", "bench@example.com"]
    return measure.run(command, directory, {**os.environ, "BENCH_ROUND": str(number)})


# ------------------------------------------------------------ pipelines
def _environments(count: int) -> str:
    first, *rest = (f"  e{number}: {{{'' if number == 0 else 'needs: e0'}}}\n" for number in range(count))
    return "".join((first, *rest))


def _hosts(addresses: list[str]) -> str:
    listed = ", ".join(f"{{name: h{number}, engine: '{address}'}}" for number, address in enumerate(addresses))
    return f"  prod: {{engine: [{listed}]}}\n"


@contextmanager
def _pipeline(image: str, environments: str) -> Iterator[Path]:
    name = f"scale-{uuid4().hex[:6]}"
    with tempfile.TemporaryDirectory(prefix="promoter-bench-") as where:
        directory = Path(where) / name
        directory.mkdir()
        (directory / "pipeline.yaml").write_text(PIPELINE.format(name=name, image=image) + environments)
        try:
            yield directory
        finally:
            sweep(os.environ["DOCKER_HOST"], name)


@contextmanager
def _fleet(count: int) -> Iterator[list[str]]:
    """Start an engine for each host but the first, which has the lab's."""
    with ExitStack() as stack:
        states = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engine-", dir="/var/tmp"))) for _ in range(count - 1)
        ]
        for state in states:
            stack.callback(engines.down, state)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(engines.up, states))
        yield [os.environ["DOCKER_HOST"], *(engines.url(state) for state in states)]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except measure.Failed as error:
        sys.exit(f"bench: {error}")
