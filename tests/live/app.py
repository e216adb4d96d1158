"""An application for one test on the real engine: two environments, one page, real commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from promoter.promotion.ports.container import Container
from promoter.promotion.ports.engine import Engine
from tests.conftest import Cli, Ran

SERVER = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY www /www
HEALTHCHECK --interval=3s --retries=2 CMD ["wget", "-qO-", "http://127.0.0.1:8080/"]
CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]
"""
_BUILT = """\
name: {name}
registry: {registry}/live
services:
  web:
    build: .
    init: true
    ports: ["127.0.0.1:{{{{ port }}}}:8080"]
"""
PIPELINE = (
    _BUILT
    + """\
    environment: {{LEVEL: "{{{{ level }}}}"{secret_use}}}
{secrets}environments:
  dev:
    vars: {{port: {dev}, level: debug}}
    before:
      - container: {{service: web, command: ["sh", "-c", "echo migrated"]}}
    verify:
      - http: {{url: "http://127.0.0.1:{{{{ port }}}}/", contains: ready, within: 5s, every: 200ms}}
      - container: {{service: web, command: ["wget", "-qO-", "http://web:8080/"]}}
      - command: {{run: ["sh", "-c", "test -n \\"$PROMOTER_IMAGE_WEB\\""]}}
  prod:
    vars: {{port: {prod}, level: warn}}
    gates: {gates}
"""
)
PLAIN = (
    _BUILT
    + """\
environments:
  dev: {{vars: {{port: {dev}}}}}
  prod: {{vars: {{port: {prod}}}}}
"""
)
"""For tests that need neither a job nor a check."""


@dataclass
class App:
    """An application of one test, with its own directory, names and ports."""

    cli: Cli
    name: str
    registry: str
    engine: Engine
    ports: Mapping[str, int]
    settings: dict[str, str] = field(default_factory=lambda: {"gates": "[]", "secrets": "", "secret_use": ""})
    pipeline: str = PIPELINE

    def write(self, **changes: str) -> None:
        self.settings |= changes
        text = self.pipeline.format(name=self.name, registry=self.registry, **self.ports, **self.settings)
        (self.cli.cwd / "pipeline.yaml").write_text(text)

    def page(self, text: str) -> None:
        """Write another page, which makes another image."""
        (self.cli.cwd / "www").mkdir(exist_ok=True)
        (self.cli.cwd / "www" / "index.html").write_text(text)

    def dockerfile(self, text: str = SERVER) -> None:
        (self.cli.cwd / "Dockerfile").write_text(text)

    def container(self, environment: str) -> Container:
        found = self.engine.inspect(f"{self.name}-{environment}-web")
        assert found is not None
        return found

    def all(self) -> dict[str, str]:
        found = self.engine.find({"dev.promoter.pipeline": self.name})
        return {c.name.removeprefix(f"{self.name}-"): c.status for c in found}

    def facts(self) -> list[dict[str, object]]:
        facts: list[dict[str, object]] = self.cli("history", "--json").json
        return facts


def statuses(ran: Ran) -> dict[str, str]:
    return {e["name"]: e["status"] for e in ran.json["environments"]}
