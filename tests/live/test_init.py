"""What `promoter init` writes runs: from Compose files and a Dockerfile to containers that serve, on the real engine."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.conftest import Cli
from tests.live.app import SERVER

COMPOSE = """\
name: {name}
services:
  web:
    build: .
    ports: ["${{WEB_PORT:-8000}}:8080"]
    environment: ["LEVEL=${{LEVEL:-info}}", "PRICE=5$$"]
    depends_on: {{store: {{condition: service_healthy}}}}
    volumes: [cache:/var/cache]
  store:
    build: {{context: ., dockerfile: Dockerfile}}
    healthcheck: {{test: "wget -qO- http://127.0.0.1:8080/ | grep ready", interval: 1s}}
    deploy: {{replicas: 2}}
    configs: [{{source: motd, target: /motd}}]
volumes: {{cache: {{}}}}
configs: {{motd: {{content: "hello ${{LEVEL:-you}}"}}}}
"""
LONG = """\
x-base: &base {{build: ., restart: unless-stopped, logging: {{driver: json-file, options: {{max-size: 1m}}}}}}
name: {name}
services:
  www:
    <<: *base
    ports:
      - {{target: 8080, published: "8000", host_ip: 127.0.0.1}}
      - {{target: 9090}}
    healthcheck: {{test: [CMD, wget, -qO-, "http://localhost:8080/index.html"], interval: 1s}}
    env_file: [common.env]
"""


@pytest.mark.parametrize(
    ("name", "text"), [("compose.yaml", COMPOSE), ("docker-compose.yml", LONG), ("Dockerfile", SERVER + "EXPOSE 8080\n")]
)
def test_what_init_writes_deploys(
    cli: Cli, registry_host: str, busybox_dir: Path, clean_engine: str, free_port: Callable[[], int], name: str, text: str
) -> None:
    (cli.cwd / "www").mkdir()
    (cli.cwd / "www/index.html").write_text("ready")
    shutil.copy2(busybox_dir / "busybox", cli.cwd / "busybox")
    (cli.cwd / "common.env").write_text("A=1\n")
    (cli.cwd / "Dockerfile").write_text(SERVER)
    (cli.cwd / name).write_text(text.format(name=clean_engine) if name != "Dockerfile" else text)
    wrote = cli("init", "--registry", f"{registry_host}/{clean_engine}", "--name", clean_engine, "--environments", "dev,prod")
    assert wrote.exit_code == 0, wrote.text
    file, port = cli.cwd / "pipeline.yaml", free_port()
    file.write_text(re.sub(r"\b18081\b", str(port), file.read_text()))  # tests run side by side
    ran = cli("run", "--to", "dev", "--json")
    assert ran.exit_code == 0, ran.text
    assert [place["status"] for place in ran.json["environments"][:1]] == ["deployed"]
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "ready"
