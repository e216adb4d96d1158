"""What docs/how-to/migrate-from-a-shell-script.md writes about the container that the script has left."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import urlopen

import docker
import pytest

from tests.conftest import Cli

PIPELINE = """\
name: {name}
registry: {registry}/tutorial
services:
  web:
    build: .
    init: true
    container_name: {name}
    ports: ["127.0.0.1:{port}:8080"]
environments:
  test: {{verify: [{{http: {{url: "http://127.0.0.1:{port}/", contains: new, within: 1s}}}}]}}
"""


@pytest.fixture
def scripts_own(engine_url: str, base: str, unique: str, free_port: Callable[[], int]) -> Iterator[tuple[Any, int]]:
    """Start a container as `docker run --name` does, which promoter does not know. Yield it and its port."""
    client, port = docker.DockerClient(base_url=engine_url), free_port()
    serve = ["sh", "-c", "mkdir /www; echo old >/www/index.html; exec httpd -f -p 8080 -h /www"]
    container = client.containers.run(base, serve, name=unique, ports={"8080": ("127.0.0.1", port)}, init=True, detach=True)
    yield container, port
    container.remove(force=True)
    client.close()


def page(port: int) -> str:
    with urlopen(f"http://127.0.0.1:{port}/", timeout=5) as answer:
        return answer.read().decode().strip()


def test_it_is_refused_by_name_and_left_as_it_is_until_a_person_moves_it(
    cli: Cli, clean_engine: str, registry_host: str, base: str, scripts_own: tuple[Any, int]
) -> None:
    theirs, port = scripts_own
    (cli.cwd / "pipeline.yaml").write_text(PIPELINE.format(name=clean_engine, registry=registry_host, port=port))
    text = 'FROM {}\nRUN mkdir /www; echo new >/www/index.html\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n'
    (cli.cwd / "Dockerfile").write_text(text.format(base))

    refused = cli("run", "--json")
    assert refused.exit_code == 1, refused.text
    assert f"is used by container {clean_engine}" in refused.text
    theirs.reload()
    assert (theirs.name, theirs.status, page(port)) == (clean_engine, "running", "old")

    theirs.rename(f"{clean_engine}-before")
    theirs.stop(timeout=1)
    assert (good := cli("run", "--json")).exit_code == 0, good.text
    theirs.reload()
    assert (theirs.name, theirs.status, page(port)) == (f"{clean_engine}-before", "exited", "new")
