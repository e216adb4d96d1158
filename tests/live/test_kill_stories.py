"""Real processes are killed at their changes, in cases that test_kill_matrix.py does not have: first deployments, approved
promotions of several services, rollbacks and builds, with each ledger store.

If the ledger can be shared, the killed process is on another machine, in a separate checkout. No process can know that it is
dead, so its lease must expire. PROMOTER_TEST_POINTS is the number of fatal points in each case; `all` is all of them.
"""

import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from promoter.adapters.ledgers.open import open_ledger
from promoter.ledger.chain import Fact, check_chain
from tests.conftest import ROOT, Ran
from tests.faults.killable import OTHER_MACHINE
from tests.live.app import SERVER, App
from tests.live.homes import made

SEED = int(os.environ.get("PROMOTER_TEST_SEED", random.randrange(1 << 32)))
FATAL = os.environ.get("PROMOTER_TEST_POINTS", "2")
SLEEPER = 'CMD ["sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"]\n'
SERVICES = """\
  web:
    image: {image}
    healthcheck: {{test: ["CMD", "true"], interval: 2s}}
    volumes: ["{count}:/count"]
  worker:
    image: {image}
    healthcheck: {{disable: true}}
    steady: 100ms
    deploy: {{replicas: 2}}
"""
BUILT = """\
  web:
    image: web
    build: .
    init: true
    healthcheck: {{test: ["CMD", "true"], interval: 2s}}
    volumes: ["{count}:/count"]
"""
ENVIRONMENT = """\
  {name}:
    needs: []
    before:
      - container: {{service: web, command: ["sh", "-c", "echo job >> /count/{name}"]}}
    gates: {gates}
"""


@dataclass
class Stage:
    """People work in `here`; the process is killed in `there`. `images` are two pushed ones, by number."""

    app: App
    ledger: str
    local: Path
    remote: Path
    images: tuple[str, ...] = ()

    def write(self, services: str, environments: str) -> None:
        text = f"name: {self.app.name}\nregistry: {self.app.registry}/live\nservices:\n{services}environments:\n{environments}"
        for path in {self.local, self.remote}:
            (path / "pipeline.yaml").write_text(text)

    def want(self, number: int, name: str = "dev", gates: str = "[]") -> None:
        self.write(
            SERVICES.format(image=self.images[number], count=self.local.parent / "count"),
            ENVIRONMENT.format(name=name, gates=gates),
        )

    def do(self, *words: str, code: int = 0, where: str = "") -> Ran:
        ran = self.app.cli(*words, "--json", "--ledger", self.ledger, cwd=self.local, env={"PROMOTER_LEASE_TTL": "3s"})
        assert ran.exit_code == code, (where, words, ran.text)
        return ran

    def killable(self, at: int | None, *words: str) -> list[str]:
        """Return the names of the points that a run reached; a fatal one is the last."""
        output = self.remote.parent / "points"
        output.write_text("")
        more = {"PROMOTER_POINTS": str(output), "PYTHONPATH": str(ROOT), "PROMOTER_LEASE_TTL": "3s"}
        more |= {"PROMOTER_DIE_AT": str(at)} if at else {}
        more |= {"PROMOTER_ELSEWHERE": "yes"} if self.local != self.remote else {}
        command = [sys.executable, "-m", "tests.faults.killable", *words, "--json", "--ledger", self.ledger]
        done = subprocess.run(
            command, cwd=self.remote, env={**self.app.cli.env, **more}, capture_output=True, text=True, timeout=100, check=False
        )
        points = output.read_text().splitlines()
        assert done.returncode == (-9 if len(points) == at else 0), (at, points, done.stdout, done.stderr)
        return points

    def facts(self) -> list[Fact]:
        """Return the whole chain, verified."""
        with closing(open_ledger(self.ledger, self.local, self.app.name)) as ledger:
            return [fact for fact in check_chain(ledger.lines()) if isinstance(fact, Fact) or pytest.fail(str(fact))]

    def held(self, name: str) -> list[str]:
        with closing(open_ledger(self.ledger, self.local, self.app.name)) as ledger:
            return [held.owner for held in ledger.held() if held.environment == name]

    def jobs(self, name: str) -> int:
        output = self.local.parent / "count" / name
        return len(output.read_text().splitlines()) if output.exists() else 0


@pytest.fixture
def stage(app: App, request: pytest.FixtureRequest) -> Stage:
    home = request.param
    images = []
    app.dockerfile(SERVER.partition("HEALTHCHECK")[0] + SLEEPER)
    for word in ("one", "two"):
        app.page(f"{word} of {app.name}")
        image = app.cli("build", "--json").json["release"]["images"]["web"]
        images.append(f"{image['repository']}@{image['digest']}")
    directory = app.cli.cwd
    (directory / "count").mkdir()
    names = ("here",) if home == "sqlite" else ("here", "there")
    shared = made(home, directory, names, lambda: request.getfixturevalue("server").url("postgres"))
    local, remote = shared.directories[0], shared.directories[-1]
    for path in {local, remote}:
        for name in ("busybox", "Dockerfile"):
            shutil.copy2(directory / name, path / name)
    return Stage(app, shared.ledger, local, remote, tuple(images))


# ---------------------------------------------------------------- required states
def check_state(stage: Stage, name: str, digest: str, where: str, services: tuple[str, ...]) -> None:
    """Check that the wanted image runs once, that at most the earlier one is kept, that nothing else exists, and the ledger."""
    found = {
        c.name.removeprefix(f"{stage.app.name}-{name}-"): c
        for c in stage.app.engine.find({"dev.promoter.pipeline": stage.app.name, "dev.promoter.environment": name})
    }
    live = {service: found.pop(service, None) for service in services}
    assert all(c is not None and c.running for c in live.values()), (where, live)
    assert {c.labels["dev.promoter.digest"] for c in live.values() if c} == {digest}, where
    assert all(box.removesuffix("-previous") in services and not c.running for box, c in found.items()), (where, found)
    facts = [fact for fact in stage.facts() if fact.environment == name]
    promoted = [fact for fact in facts if fact.kind == "promoted"][-1]
    recorded = {box for one in promoted.body["services"].values() for box in one["containers"]}
    assert recorded == {c.id for c in live.values() if c}, where
    done = Counter(
        fact.body["promotion"] for fact in facts if fact.kind == "step_done" and fact.body["step"].startswith("before")
    )
    began = {fact.body["promotion"] for fact in facts if fact.kind == "started"}
    assert set(done.values()) <= {1}, where
    assert len(done) <= stage.jobs(name) <= len(began), (where, stage.jobs(name), began)


def fatal(points: list[str]) -> Iterator[tuple[int, str]]:
    """Yield points: each kind is equally likely, however often it occurs."""
    numbers = list(range(1, len(points) + 1))
    if FATAL != "all":
        chance = random.Random(SEED)
        names = chance.sample(sorted(set(points)), min(int(FATAL), len(set(points))))
        numbers = [chance.choice([n for n in numbers if points[n - 1] == name]) for name in names]
    for at in numbers:
        yield at, f"killed {points[at - 1]} ({at} of {len(points)}), PROMOTER_TEST_SEED={SEED}"


def continued(stage: Stage, name: str, where: str, *words: str) -> None:
    """Run `words` again. The run that takes a dead one's lease over records it in the ledger."""
    before, seen = stage.held(name), len(stage.facts())
    stage.do(*words, "--wait-lock", "40s", where=where)
    began = [fact for fact in stage.facts()[seen:] if fact.kind == "started"]
    if before and began:
        assert OTHER_MACHINE in before[0] or stage.local == stage.remote, where
        assert began[0].body["lease"]["took_over"] == before[0], where
    if began:
        assert stage.held(name) == [], where


WORKERS = ("web", "worker", "worker-2")


# ---------------------------------------------------------------- the cases
@pytest.mark.slow
@pytest.mark.parametrize("stage", ["git"], indirect=True)
def test_a_first_deployment(stage: Stage) -> None:
    digest = stage.images[0].rpartition("@")[2]
    stage.want(0, "e0")
    stage.do("build")
    for turn, (at, where) in enumerate(fatal(stage.killable(None, "promote", "--to", "e0")), 1):
        name = f"e{turn}"
        stage.want(0, name)
        stage.killable(at, "promote", "--to", name)
        continued(stage, name, where, "promote", "--to", name)
        check_state(stage, name, digest, where, WORKERS)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["postgres"], indirect=True)
def test_an_approved_promotion(stage: Stage) -> None:
    """The vote counts once: for the promotion that was interrupted and continued, and for no other."""

    def asked(number: int) -> None:
        stage.want(number, gates="[{approval: {}}]")
        stage.do("run", code=3)
        stage.do("approve", "dev", "--yes", "--actor", "ana@example.com")

    asked(0)
    stage.do("promote")
    asked(1)
    for turn, (at, where) in enumerate(fatal(stage.killable(None, "promote"))):
        asked(turn % 2)
        stage.killable(at, "promote")
        continued(stage, "dev", where, "promote")
        check_state(stage, "dev", stage.images[turn % 2].rpartition("@")[2], where, WORKERS)
        users: dict[str, set[str]] = {}
        for fact in stage.facts():
            for vote in fact.body["approvals"] if fact.kind == "started" else ():
                users.setdefault(vote, set()).add(fact.body["promotion"])
        assert len(users) == turn + 3, where
        assert all(len(used) == 1 for used in users.values()), (where, users)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
def test_a_rollback(stage: Stage) -> None:
    digest = stage.images[0].rpartition("@")[2]

    def forward(number: int) -> None:
        stage.want(number)
        stage.do("run")

    forward(0)
    forward(1)
    for at, where in fatal(stage.killable(None, "rollback", "dev")):
        if stage.facts()[-1].kind == "pinned":
            stage.do("unpin", "dev", "--reason", "again")
        forward(1)
        stage.killable(at, "rollback", "dev")
        if stage.facts()[-1].kind != "pinned":  # otherwise it was complete: a repetition goes back once more
            continued(stage, "dev", where, "rollback", "dev")
        check_state(stage, "dev", digest, where, WORKERS)
        kinds = [str(fact.kind) for fact in stage.facts() if fact.kind in ("pinned", "unpinned")]
        assert kinds == ["pinned", "unpinned"] * (len(kinds) // 2) + ["pinned"], where


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
def test_a_build_that_is_pushed(stage: Stage) -> None:
    """Starts where nothing exists: the earlier half of a run, which records no release until all of it is pushed."""
    stage.write(BUILT.format(count=stage.local.parent / "count"), ENVIRONMENT.format(name="dev", gates="[]"))
    (stage.local / "www").mkdir()

    def page(word: str) -> None:
        (stage.local / "www" / "index.html").write_text(f"{word} of {stage.app.name}")

    page("nought")
    points = stage.killable(None, "run")
    for at, where in fatal(points[: points.index("before engine.ensure_network")]):
        page(f"{at}")
        stage.killable(at, "run")
        ran = stage.do("run", where=where)
        check_state(stage, "dev", ran.json["release"]["images"]["web"]["digest"], where, ("web",))
        assert ran.json["environments"][0]["status"] == "deployed", where
