# ruff: noqa: T201, PT017 (pytest shows the output only if a test fails)
"""A short run of every fuzz target. `make fuzz` runs them for longer."""

import os
from random import Random, SystemRandom

import pytest

from tests.fuzz.run import Defect, fuzz
from tests.fuzz.targets import TARGETS, Target

SEED = int(os.environ.get("PROMOTER_FUZZ_SEED") or SystemRandom().randrange(1 << 32))


@pytest.mark.parametrize("name", TARGETS)
def test_a_changed_input_is_read_or_refused(name: str) -> None:
    print(f"again with PROMOTER_FUZZ_SEED={SEED}")
    found = list(fuzz(name, TARGETS[name], SEED, inputs=300, seconds=1.5))
    assert not [str(one) for one in found if isinstance(one, Defect)]


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_are_read(name: str) -> None:
    for seed in TARGETS[name].seeds:
        try:
            TARGETS[name].feed(seed)
        except TARGETS[name].refusals as refusal:
            assert name in ("compose", "settings", "env-files", "templates"), refusal


def test_a_defect_is_found_and_names_its_input_and_seed() -> None:
    def feed(data: bytes) -> None:
        raise KeyError(len(data))

    *defects, fed = fuzz("x", Target((b"seed",), feed), 7, inputs=3, seconds=60)
    assert fed == len(defects) == 3
    assert isinstance(defects[0], Defect)
    assert "KeyError" in str(defects[0])
    assert repr(defects[0].data) in str(defects[0])
    assert "--seed 7" in str(defects[0])


def test_a_seed_gives_the_same_inputs_again() -> None:
    for target in TARGETS.values():
        assert [target.some(Random(3)) for _ in range(3)] == [target.some(Random(3)) for _ in range(3)]
