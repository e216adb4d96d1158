"""A repository on a server, and what people and jobs do in clones of it."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from promoter.adapters.engine.connect import open_engine
from promoter.model.labels import release_of
from tests.adapters.ledgers.git_world import World
from tests.ci.job import Job
from tests.conftest import Cli, Ran
from tests.live.app import SERVER

PIPELINE = """\
name: {name}
registry: {registry}/action
ledger: git:promoter-ledger
services:
  web: {{build: ., init: true, ports: ["127.0.0.1:{{{{ port }}}}:8080"]}}
environments:
  dev:
    vars: {{port: {dev}}}
    verify:
      - http: {{url: "http://127.0.0.1:{{{{ port }}}}/", contains: ready, within: 2s, every: 200ms}}
  prod:
    vars: {{port: {prod}}}
    gates: [approval: {{min: 1}}]
"""


@dataclass
class Project:
    """`world` has the repository; `name` is the pipeline's name."""

    cli: Cli
    job: Callable[..., Job]
    name: str
    directory: Path

    @cached_property
    def world(self) -> World:
        (self.directory / "world").mkdir()
        return World(self.directory / "world")

    def push(self, text: str, **files: str) -> None:
        """Push another page, and files, to main."""
        (self.world.clone / "www" / "index.html").write_text(text)
        for name, content in files.items():
            (self.world.clone / name).write_text(content)
        self.world.git("add", ".", at=self.world.clone)
        self.world.git("commit", "--quiet", "-m", text, at=self.world.clone)
        self.world.git("push", "--quiet", "origin", "HEAD:main", at=self.world.clone)

    def checkout(self, name: str) -> Path:
        """Return a checkout as CI makes it: at the last commit of main, without a branch."""
        made = self.world.another(name)
        self.world.git("checkout", "--quiet", "--detach", "origin/main", at=made)
        return made

    def on(self, machine: str) -> Job:
        """Return a new machine with a checkout."""
        return self.job(self.checkout(machine), machine, {"DOCKER_HOST": self.cli.env["DOCKER_HOST"]})

    def approve(self) -> Ran:
        """Approve as a person, in a separate clone."""
        self.cli.env |= {"HOME": str(self.world.directory / "home")}
        ran = self.cli("approve", "prod", "--yes", "--actor", "ana@example.com", cwd=self.world.another("desk"))
        assert ran.exit_code == 0, ran.text
        return ran

    def lives_in(self, environment: str) -> str | None:
        """Return the release that runs there."""
        with closing(open_engine(self.cli.env["DOCKER_HOST"])) as engine:
            found = engine.inspect(f"{self.name}-{environment}-web")
        return release_of(found.labels) if found and found.status == "running" else None


def initial(project: Project, registry: str, busybox: Path, ports: tuple[int, int]) -> Project:
    (project.world.clone / "www").mkdir()
    shutil.copy2(busybox / "busybox", project.world.clone / "busybox")
    text = PIPELINE.format(name=project.name, registry=registry, dev=ports[0], prod=ports[1])
    project.push("ready one", Dockerfile=SERVER, **{"pipeline.yaml": text})
    return project
