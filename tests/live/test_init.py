"""The output of `promoter init` runs on the real engine: pipeline files up to running containers, workflows up to prod."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import yaml

from tests.conftest import Cli
from tests.live.app import SERVER
from tests.repository import ENVIRONMENT

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


def context(where: Path, busybox_dir: Path) -> None:
    (where / "www").mkdir()
    (where / "www/index.html").write_text("ready")
    shutil.copy2(busybox_dir / "busybox", where / "busybox")
    (where / "common.env").write_text("A=1\n")
    (where / "Dockerfile").write_text(SERVER)


@pytest.mark.parametrize(
    ("name", "text"), [("compose.yaml", COMPOSE), ("docker-compose.yml", LONG), ("Dockerfile", SERVER + "EXPOSE 8080\n")]
)
def test_what_init_writes_deploys(
    cli: Cli, registry_host: str, busybox_dir: Path, clean_engine: str, free_port: Callable[[], int], name: str, text: str
) -> None:
    context(cli.cwd, busybox_dir)
    (cli.cwd / name).write_text(text.format(name=clean_engine) if name != "Dockerfile" else text)
    wrote = cli("init", "--registry", f"{registry_host}/{clean_engine}", "--name", clean_engine, "--environments", "dev,prod")
    assert wrote.exit_code == 0, wrote.text
    file, port = cli.cwd / "pipeline.yaml", free_port()
    file.write_text(re.sub(r"\b18081\b", str(port), file.read_text()))  # tests run in parallel
    ran = cli("run", "--to", "dev", "--json")
    assert ran.exit_code == 0, ran.text
    assert [environment["status"] for environment in ran.json["environments"][:1]] == ["deployed"]
    assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "ready"


def test_the_generated_workflow_runs_waits_and_continues_from_another_checkout(
    cli: Cli, registry_host: str, busybox_dir: Path, clean_engine: str
) -> None:
    """The same script that GitHub runs, by push, schedule and hand. Each job begins with a new checkout."""

    def git(*words: str, cwd: Path) -> None:
        subprocess.run(["git", *words], cwd=cwd, env=ENVIRONMENT, check=True, capture_output=True)

    first = cli.cwd / "first"
    first.mkdir()
    context(first, busybox_dir)
    git("init", "-q", "--bare", "-b", "main", "remote.git", cwd=cli.cwd)
    git("init", "-q", "-b", "main", cwd=first)
    git("remote", "add", "origin", str(cli.cwd / "remote.git"), cwd=first)
    registry = f"{registry_host}/{clean_engine}"
    words = ("--ci", "github", "--registry", registry, "--name", clean_engine, "--environments", "dev,prod")
    wrote = cli("init", *words, cwd=first)
    assert wrote.exit_code == 0, wrote.text
    git("add", "-A", cwd=first)
    git("commit", "-q", "-m", "a", cwd=first)
    git("push", "-q", "origin", "main", cwd=first)
    steps = yaml.safe_load((first / ".github/workflows/promote.yml").read_text())["jobs"]["promote"]["steps"]
    script = next(step["run"] for step in steps if step["name"] == "Promote")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def job(event: str, number: int) -> tuple[int, str]:
        where = cli.cwd / f"job{number}"
        git("clone", "-q", str(cli.cwd / "remote.git"), str(where), cwd=cli.cwd)
        inputs = {"PROMOTER_CI_RELEASE": "", "PROMOTER_CI_ENVIRONMENT": "", "PROMOTER_FILE": "pipeline.yaml"}
        env = {**cli.env, **inputs, "PATH": path, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": event}
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script], cwd=where, env=env, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    code, output = job("schedule", 1)
    assert (code, "no release is waiting" in output) == (0, True), output
    code, output = job("push", 2)
    assert (code, "::notice title=promoter::waits at a gate" in output) == (0, True), output
    code, output = job("schedule", 3)
    assert (code, "::notice" in output) == (0, True), output
    approved = cli("approve", "prod", "--yes", cwd=first)
    assert approved.exit_code == 0, approved.text
    code, output = job("workflow_dispatch", 4)
    assert (code, "::notice" in output) == (0, False), output
    environments = cli("status", "--json", cwd=first).json["environments"]
    assert [environment["release"] is not None for environment in environments] == [True, True]
