"""An application of one test on the private swarm: a web server on every node, a worker, a secret and a config."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parts import processes, talk
from parts.swarm import Swarm

from promoter.adapters.swarm.swarm import DockerSwarm
from promoter.promotion.ports.cluster import ClusterService
from tests.conftest import Cli, Ran

IMAGE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY www /www
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
"""
PIPELINE = """\
name: {name}
registry: {registry}/live
secrets:
  token: {{env: TOKEN}}
configs:
  motd: {{content: "{motd}"}}
services:
  web:
    build: .
    init: true
    stop_grace_period: 1s
    healthcheck: {{test: ["CMD", "test", "-e", "/www/good"], interval: 300ms, retries: 2}}
    ports: {ports}
    secrets: [token]
    configs: [{{source: motd, target: /etc/motd}}]
    environment: {{WORD: "{word}"}}
    deploy: {deploy}
  job:
    build: .
    init: true
    stop_grace_period: 1s
    command: ["sleep", "3600"]
    steady: 500ms
    deploy: {{update_config: {{monitor: 500ms}}}}
    environment: {{WORD: "{word}", TOKEN: "{{{{ secret('token') }}}}"}}
environments:
  prod:
    engine: [{engines}]
    strategy: {{swarm: {{timeout: {timeout}}}}}
    before: {before}
    verify:
{verify}      - container: {{service: job, command: ["nslookup", "web"]}}
"""
PORTS = "[{target: 8080, published: PORT, mode: host}]"
VERIFY = '      - http: {url: "http://ADDRESS:PORT/", contains: "of NAME", within: 10s, every: 200ms}\n'
_UPDATE = "update_config: {monitor: 500ms, parallelism: 3}"
THREE = f"{{replicas: 3, endpoint_mode: dnsrr, {_UPDATE}, placement: {{max_replicas_per_node: 1}}}}"
TWO = "{replicas: 2, endpoint_mode: dnsrr, update_config: {monitor: 500ms, order: start-first}}"


@dataclass
class Clustered:
    """The application. `managers` are the nodes whose addresses the pipeline file has."""

    cli: Cli
    name: str
    swarm: Swarm
    cluster: DockerSwarm
    port: int
    managers: tuple[int, ...] = (1, 2, 3)
    settings: dict[str, str] = field(
        default_factory=lambda: {
            "deploy": THREE,
            "before": "[]",
            "motd": "first",
            "word": "first",
            "timeout": "40s",
            "ports": PORTS,
            "verify": VERIFY,
        }
    )
    registry: str = ""

    def write(self, word: str, *, good: bool = True, **changes: str) -> None:
        self.settings |= {"word": word, **changes}
        shutil.rmtree(self.cli.cwd / "www", ignore_errors=True)
        (self.cli.cwd / "www").mkdir()
        (self.cli.cwd / "www/index.html").write_text(f"{word} of {self.name}")
        if good:
            (self.cli.cwd / "www/good").touch()
        engines = ", ".join(f'"{self.swarm.url(node)}"' for node in self.managers)
        registry = self.registry or self.swarm.registry
        text = PIPELINE.format(name=self.name, registry=registry, engines=engines, **self.settings)
        values = {"PORT": str(self.port), "ADDRESS": self.swarm.address(2), "NAME": self.name}
        for word_in_text, value in values.items():
            text = text.replace(word_in_text, value)
        (self.cli.cwd / "pipeline.yaml").write_text(text)

    def run(self, word: str, *, good: bool = True, **changes: str) -> Ran:
        self.write(word, good=good, **changes)
        return self.cli("run", "--json", "--wait-lock", "40s")

    def service(self, name: str = "web") -> ClusterService:
        found = self.cluster.service(f"{self.name}-prod-{name}")
        assert found is not None, name
        return found

    def pages(self, *nodes: int) -> list[str]:
        """Return what each node answers on the published port."""
        found = (talk.get(f"{self.swarm.address(node)}:{self.port}", "/")[1].decode() for node in nodes or (1, 2, 3))
        return [page.removesuffix(f" of {self.name}") for page in found]

    def document(self, name: str = "web") -> dict[str, Any]:
        status, text = talk.get(self.swarm.url(2), f"/services/{self.name}-prod-{name}")
        assert status == 200, text
        found: dict[str, Any] = json.loads(text)
        return found

    def spec(self, name: str = "web") -> dict[str, Any]:
        """Return the specification of a service."""
        found: dict[str, Any] = self.document(name)["Spec"]
        return found

    def update(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the service `web` by hand."""
        found = self.document()
        change(found["Spec"])
        path = f"/services/{found['ID']}/update?version={found['Version']['Index']}"
        status, text = talk.post(self.swarm.url(2), path, found["Spec"])
        assert status == 200, text

    def await_update(self, state: str = "updating") -> None:
        """Wait until the update of the service `web` has this state."""
        assert processes.until(lambda: (self.document().get("UpdateStatus") or {}).get("State") == state, 30)


def prepared(cli: Cli, busybox: Path) -> None:
    """Write what an image is built from."""
    shutil.copy2(busybox / "busybox", cli.cwd / "busybox")
    (cli.cwd / "Dockerfile").write_text(IMAGE)
