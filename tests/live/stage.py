"""Pipelines of existing images on the real engine: quick to write. Each service has its command in one line."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import docker
import yaml

from tests.conftest import Cli, Ran

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
CMD ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 9 & wait; done"]
"""
PAGE = "mkdir -p /www; echo {} > /www/index.html; exec httpd -f -p 8080 -h /www"
"""The command of a server that serves one word."""


@dataclass
class Stage:
    """`document` is the pipeline file. A test changes it between runs, as a person edits it."""

    cli: Cli
    name: str
    registry: str
    client: docker.DockerClient
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """Return an image with a shell, which the registry has."""
        return f"{self.registry}/stage/shell:1"

    def service(self, command: str | None = None, **keys: Any) -> dict[str, Any]:
        ended = {"command": ["sh", "-c", command]} if command else {}
        return {"image": self.image, "init": True, "stop_grace_period": "1s", "steady": "300ms", **ended, **keys}

    def file(self, services: Mapping[str, Any], environments: Mapping[str, Any], **more: Any) -> None:
        self.document = {"name": self.name, "services": dict(services), "environments": dict(environments), **more}
        self.write()

    def write(self, path: str = "pipeline.yaml") -> None:
        (self.cli.cwd / path).write_text(yaml.safe_dump(self.document, sort_keys=False))

    def promoter(self, *words: str, code: int | None = 0, **env: str) -> Ran:
        """Run one command, which must exit with `code`."""
        ran = self.cli(*words, env=env)
        assert code in (None, ran.exit_code), f"promoter {' '.join(words)}: expected exit {code}, got {ran.exit_code}\n{ran.text}"
        return ran

    def get(self, name: str) -> Any:
        """Return a container of the engine by its name."""
        return self.client.containers.get(name)

    def of(self, environment: str, service: str) -> Any:
        return self.get(f"{self.name}-{environment}-{service}")

    def names(self) -> list[str]:
        """Return the names of everything with the pipeline's label."""
        found = self.client.containers.list(all=True, filters={"label": f"dev.promoter.pipeline={self.name}"})
        return sorted(c.name.removeprefix(f"{self.name}-") for c in found)

    def stranger(self, name: str, **options: Any) -> Any:
        """Start a container that another person owns."""
        wait = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 9 & wait; done"]
        return self.client.containers.run(self.image, wait, name=name, detach=True, **options)

    def facts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.promoter("ledger", "export").stdout.splitlines()]


def page(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return str(answer.read().decode().strip())


def push_shell(client: docker.DockerClient, registry: str, folder: Path, busybox: Path) -> None:
    shutil.copy2(busybox / "busybox", folder / "busybox")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    client.images.build(path=str(folder), tag=f"{registry}/stage/shell:1")
    for line in client.images.push(f"{registry}/stage/shell", tag="1", stream=True, decode=True):
        assert "error" not in line, line
