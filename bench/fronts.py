"""Swaps under load: clients that keep their connections, half of them with POST, while releases are replaced 20 times.

    make bench-fronts                      start-first and hold, 20 swaps each with 10,000 requests
    make bench-fronts ARGS="--swaps 5"

A request that fails is counted and its reason is printed. Exit code 1: some failed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from parts.clients import Clients, clients
from parts.front_images import APPS, build_all
from parts.ports import some_port
from parts.sweep import sweep

STRATEGIES = {
    "start-first": "{start-first: {drain: 10s, monitor: 1s}}",
    "hold": "{hold: {drain: 10s, monitor: 1s, max_hold: 60s}}",
}
PIPELINE = """\
name: {name}
services:
  web:
    image: {image}
    ports: ["127.0.0.1:{port}:8080"]
    stop_grace_period: 2s
    healthcheck: {{test: ["CMD-SHELL", "{health}"], interval: 1s}}
environments:
  prod:
    strategy: {strategy}
    front: {{image: {front}}}
"""
WORDS = ("one", "two")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--swaps", type=int, default=20)
    parser.add_argument("--requests", type=int, default=10_000, help="requests during each swap, at least (10,000)")
    parser.add_argument("--clients", type=int, default=50, help="clients that keep their connections (50)")
    asked = parser.parse_args()
    engine, registry = os.environ["DOCKER_HOST"], os.environ["PROMOTER_LAB_REGISTRY"]
    contexts = {"distribution": Path(os.environ["PROMOTER_LAB_HAPROXY"].split(os.pathsep)[0])}
    images = build_all(engine, registry, contexts)
    failed = 0
    for strategy in STRATEGIES:
        name = f"fronts-{uuid4().hex[:6]}"
        with tempfile.TemporaryDirectory(prefix="promoter-bench-") as where:
            try:
                failed += _measure(Path(where), name, strategy, images, asked)
            finally:
                sweep(engine, name)
    return 1 if failed else 0


def _measure(where: Path, name: str, strategy: str, images: Mapping[str, str], asked: argparse.Namespace) -> int:
    port = some_port()
    _run(where, _text(name, strategy, images, port, WORDS[0]))
    with clients(port, pause=0, count=asked.clients) as load:
        for number in range(1, asked.swaps + 1):
            until = sum(load.seen.values()) + asked.requests
            _run(where, _text(name, strategy, images, port, WORDS[number % 2]))
            _wait_for(load, until)
    answered = sum(load.seen.values())
    print(f"{strategy:<12} {asked.swaps} swaps  {answered:>8,} answered  {len(load.failed)} failed  longest {load.slowest:.1f} s")
    print("".join(f"  {reason}\n" for reason in load.failed[:5]), end="", flush=True)
    return len(load.failed)


def _text(name: str, strategy: str, images: Mapping[str, str], port: int, word: str) -> str:
    return PIPELINE.format(
        name=name,
        image=images[word],
        port=port,
        health=APPS[word][1],
        strategy=STRATEGIES[strategy],
        front=images["distribution"],
    )


def _run(where: Path, text: str) -> None:
    (where / "pipeline.yaml").write_text(text)
    command = [str(Path(sys.executable).parent / "promoter"), "run", "--actor", "bench@example.com"]
    done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench: promoter run failed with exit code {done.returncode}:\n{done.stdout}{done.stderr}")


def _wait_for(load: Clients, answers: int) -> None:
    while sum(load.seen.values()) < answers and not load.over.wait(0.05):
        pass


if __name__ == "__main__":
    sys.exit(main())
