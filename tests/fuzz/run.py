# ruff: noqa: T201 (the printed lines are the result)
"""`python -m tests.fuzz.run`: feed changed inputs to every parser, and print each exception that is not permitted."""

import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random, SystemRandom

from tests.fuzz.targets import TARGETS, Target

SLOW = 5.0
"""Seconds for one input that count as a defect."""


@dataclass(frozen=True)
class Defect:
    """An input that a parser neither read nor refused."""

    target: str
    seed: int
    data: bytes
    why: str

    def __str__(self) -> str:
        return f"{self.target}: {self.why}\n  input {self.data!r}\n  again with --only {self.target} --seed {self.seed}"


def fuzz(name: str, target: Target, seed: int, inputs: int, seconds: float) -> Iterator[Defect | int]:
    """Yield defects, and finally the number of inputs. End early when the time is over."""
    random, until = Random(f"{name} {seed}"), time.monotonic() + seconds
    fed = 0
    while fed < inputs and time.monotonic() < until:
        data = target.some(random)
        fed += 1
        began = time.thread_time()
        try:
            target.feed(data)
        except target.refusals:
            pass
        except Exception as error:  # noqa: BLE001 -- this is what the search is for
            yield Defect(name, seed, data, f"{type(error).__name__}: {error}")
        if (took := time.thread_time() - began) > SLOW:
            yield Defect(name, seed, data, f"took {took:.1f} s")
    yield fed


def main(argv: list[str]) -> int:
    parser = ArgumentParser(prog="tests.fuzz.run", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000, help="at most, for each parser")
    parser.add_argument("--seconds", type=float, default=30.0, help="at most, for each parser")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", choices=sorted(TARGETS), action="append")
    output = parser.parse_args(argv)
    print(f"seed {output.seed}", flush=True)
    defects = 0
    for name in output.only or TARGETS:
        known: set[str] = set()
        for found in fuzz(name, TARGETS[name], output.seed, output.inputs, output.seconds):
            if isinstance(found, int):
                print(f"{name}: {found} inputs", flush=True)
            elif found.why[:40] not in known:
                known.add(found.why[:40])
                print(found, flush=True)
                defects += 1
    return 1 if defects else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
