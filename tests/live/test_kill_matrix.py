"""A real process is killed before each change and after the last, on the real engine. Then the command runs again.

Between the end of one change and the begin of the next the state is the same, so one point of each such pair is used. With
PROMOTER_TEST_POINTS=all both are, as they always are with fakes in tests/faults.

One environment alternates between two images. Each time another point is fatal. The next run must finish the promotion:
one container runs, the earlier one is kept, every job was done once, and the ledger is complete.
"""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from promoter.adapters.ledgers.open import open_ledger
from promoter.ledger.chain import Fact, check_chain
from tests.conftest import ROOT, Ran
from tests.live.app import SERVER, App

PIPELINE = """\
name: {name}
services:
  web:
    image: {image}
    init: true
    ports: ["127.0.0.1:{port}:8080"]
    healthcheck: {{test: ["CMD", "wget", "-qO-", "http://127.0.0.1:8080/"], interval: {interval}, retries: 2}}
    volumes: ["{directory}/count:/count"]
environments:
  dev:
    before:
      - container: {{service: web, command: ["sh", "-c", "echo job >> /count/jobs"]}}
    verify:
      - http: {{url: "http://127.0.0.1:{port}/", contains: "{word}", within: 5s, every: 100ms}}
      - command: {{run: ["sh", "-c", "test -n \\"$PROMOTER_IMAGE_WEB\\""]}}
    gates:
      - http: {{url: "http://{registry}/v2/", status: 200}}
"""
PARTS = 2
ALL = os.environ.get("PROMOTER_TEST_POINTS") == "all"


@dataclass
class Matrix:
    """`images` by the word on their page. The image of a page with `bad` never becomes healthy."""

    app: App
    images: dict[str, str]
    jobs: int = 0
    points: list[str] = field(default_factory=list)

    @property
    def directory(self) -> Path:
        return self.app.cli.cwd

    def want(self, word: str) -> None:
        text = PIPELINE.format(
            name=self.app.name,
            image=self.images[word],
            port=self.app.ports["dev"],
            directory=self.directory,
            word=word,
            registry=self.app.registry,
            interval="200ms" if word == "bad" else "2s",  # each check starts a process on the engine
        )
        (self.directory / "matrix.yaml").write_text(text)

    def run(self) -> Ran:
        return self.app.cli("run", "-f", "matrix.yaml", "--ledger", "sqlite:matrix.db", "--json", "--wait-lock", "40s")

    def killable(self, at: int | None) -> list[str]:
        """Return the names of the points that a run reached; a fatal one is the last."""
        output = self.directory / "points"
        output.unlink(missing_ok=True)
        process = self.start(at)
        process.communicate(timeout=60)
        points = output.read_text().splitlines()
        assert at is None or (process.returncode == -9 and len(points) == at), (at, process.returncode, points)
        return points

    def start(self, at: int | None) -> "subprocess.Popen[bytes]":
        more = {"PROMOTER_POINTS": str(self.directory / "points"), "PYTHONPATH": str(ROOT)} | (
            {"PROMOTER_DIE_AT": str(at)} if at else {}
        )
        command = [sys.executable, "-m", "tests.faults.killable", "run", "-f", "matrix.yaml", "--ledger", "sqlite:matrix.db"]
        return subprocess.Popen(
            command, cwd=self.directory, env={**self.app.cli.env, **more}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def lines(self) -> int:
        jobs = self.directory / "count" / "jobs"
        return len(jobs.read_text().splitlines()) if jobs.exists() else 0

    def facts(self) -> list[Fact]:
        """Return the whole chain, verified."""
        with closing(open_ledger("sqlite:matrix.db", self.directory, self.app.name)) as ledger:
            return [fact for fact in check_chain(ledger.lines()) if isinstance(fact, Fact) or pytest.fail(str(fact))]


@pytest.fixture
def matrix(app: App) -> Iterator[Matrix]:
    images = {}
    for word in ("ready-one", "ready-two", "bad"):
        app.page(word)
        app.dockerfile(
            SERVER + ('CMD ["sh", "-c", "trap exit TERM; while :; do sleep 9 & wait; done"]\n' if word == "bad" else "")
        )
        made = app.cli("build", "--json").json["release"]["images"]["web"]
        images[word] = f"{made['repository']}@{made['digest']}"
    (app.cli.cwd / "count").mkdir()
    made = Matrix(app, images)
    made.want("ready-one")
    assert made.run().exit_code == 0
    yield made
    verified = app.cli("ledger", "verify", "-f", "matrix.yaml", "--ledger", "sqlite:matrix.db")
    assert verified.exit_code == 0, verified.text


def check_state(matrix: Matrix, word: str, where: str) -> None:
    """Check that the wanted image runs, that at most the earlier one is kept, and that nothing else exists."""
    there = matrix.app.all()
    assert there in ({"dev-web": "running", "dev-web-previous": "exited"}, {"dev-web": "running"}), (where, there)
    shown = matrix.app.container("dev")
    assert shown.labels["dev.promoter.digest"] == matrix.images[word].rpartition("@")[2], where


def once(matrix: Matrix, where: str) -> None:
    """Check for as many jobs as promotions, since each promotion reached its job here or ended before it."""
    facts = matrix.facts()
    promotions = {fact.body["promotion"] for fact in facts if fact.kind == "started"}
    done = [fact.body["promotion"] for fact in facts if fact.kind == "step_done" and fact.body["step"].startswith("before")]
    assert len(done) == len(set(done)), where
    assert len(set(done)) <= matrix.lines() <= len(promotions), (where, matrix.lines(), len(promotions))


def fatal(points: list[str], begin: int, part: int) -> list[int]:
    """Return the numbers of this part's points, from `begin` on."""
    numbers = range(begin, len(points) + 1)
    different = [at for at in numbers if ALL or at == len(points) or points[at - 1].startswith("before")]
    return different[part::PARTS]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_an_upgrade_that_is_killed_anywhere_is_finished_by_the_next_run(matrix: Matrix, part: int) -> None:
    words = ("ready-two", "ready-one")
    matrix.want(words[0])
    points = matrix.killable(None)
    assert len(points) > 30
    for turn, at in enumerate(fatal(points, 1, part)):
        word = words[(turn + 1) % 2]
        matrix.want(word)
        point = matrix.killable(at)[-1]
        where = f"killed {point} ({at} of {len(points)})"
        ran = matrix.run()
        assert ran.exit_code == 0, (where, ran.text)
        check_state(matrix, word, where)
        once(matrix, where)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_a_bad_image_that_is_killed_anywhere_leaves_the_good_one_serving(matrix: Matrix, part: int) -> None:
    """Starts where the good one is stopped: until then the steps are those of any upgrade."""
    matrix.want("bad")
    matrix.killable(None)  # the image is pulled once
    points = matrix.killable(None)
    good = matrix.app.container("dev").id
    for at in fatal(points, points.index("before engine.stop") + 1, part):
        where = f"killed {matrix.killable(at)[-1]} ({at} of {len(points)})"
        ran = matrix.run()
        assert ran.exit_code == 6, (where, ran.text)
        check_state(matrix, "ready-one", where)
        assert matrix.app.container("dev").id == good, where
        once(matrix, where)


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_instant_is_finished_by_the_next(matrix: Matrix) -> None:
    seed = int(os.environ.get("PROMOTER_TEST_SEED", random.randrange(1 << 32)))
    chance = random.Random(seed)
    words = ("ready-two", "ready-one")
    for turn in range(8):
        matrix.want(words[turn % 2])
        process = matrix.start(None)
        span = chance.uniform(0.2, 1.6)
        try:
            process.wait(timeout=span)
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate()
        where = f"killed after {span:.3f} s, turn {turn}, PROMOTER_TEST_SEED={seed}"
        ran = matrix.run()
        assert ran.exit_code == 0, (where, ran.text)
        check_state(matrix, words[turn % 2], where)
        once(matrix, where)
