"""The private swarm: what tests do to its nodes, what it looks like then, and that it is whole again afterwards."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
from parts import talk
from parts.processes import until
from parts.swarm import NODES, PASSWORD, Swarm, ready_nodes
from parts.sweep import labelled, sweep_swarm

from tests.live.stage import push_shell
from tests.live.swarm_nodes import cut_off, followers, killed, without_registry

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("swarm")]
KINDS = ("services", "secrets", "networks", "containers")


@pytest.fixture
def alone(swarm: Swarm) -> Iterator[Swarm]:
    with swarm.alone():
        yield swarm


def states(swarm: Swarm, asked: int) -> dict[str, str]:
    found: list[dict[str, Any]] = json.loads(talk.get(swarm.url(asked), "/nodes")[1])
    return {one["Description"]["Hostname"]: one["Status"]["State"] for one in found}


def pulled(swarm: Swarm, node: int, registry: str) -> bytes:
    """Return what a node answers when it asks a registry for an image that no registry has."""
    status, text = talk.post(swarm.url(node), f"/images/create?fromImage={registry}/no/image&tag=1", {})
    assert status >= 400, text
    return text


def test_a_node_is_ended_and_cut_off_and_comes_back(alone: Swarm) -> None:
    assert states(alone, 1) == {f"node-{node}": "ready" for node in NODES}
    asked, lost = followers(alone)
    with killed(alone, lost):
        assert talk.engine_silent(alone.url(lost))
        alone.await_nodes(2)
        assert states(alone, asked)[f"node-{lost}"] == "down"
    assert ready_nodes(alone.state) == {3}
    with cut_off(alone, lost):
        assert talk.engine_silent(alone.url(lost)) is None
        alone.await_nodes(2)
    assert ready_nodes(alone.state) == {3}


def test_the_registries_are_hidden_from_one_node_and_one_wants_a_login(alone: Swarm) -> None:
    for registry in (alone.registry, alone.locked):
        with without_registry(alone, 3):
            assert b"connect: invalid argument" in pulled(alone, 3, registry)
            assert b"connect: " not in pulled(alone, 2, registry)
        assert b"connect: " not in pulled(alone, 3, registry)
    assert b"no basic auth credentials" in pulled(alone, 3, alone.locked)
    status, _ = talk.post(
        alone.url(3), "/auth", {"username": PASSWORD[0], "password": PASSWORD[1], "serveraddress": alone.locked}
    )
    assert status == 200


def test_what_a_pipeline_has_on_the_swarm_is_swept(alone: Swarm, unique: str, busybox_dir: Path, tmp_path: Path) -> None:
    urls, labels = [alone.url(node) for node in NODES], {"dev.promoter.pipeline": unique}
    with closing(docker.DockerClient(base_url=urls[0])) as client:
        push_shell(client, alone.registry, tmp_path, busybox_dir)
    container = {"Image": f"{alone.registry}/stage/shell:1", "Labels": labels, "Command": ["sleep", "600"]}
    network = post(alone, "/networks/create", {"Name": unique, "Driver": "overlay", "Labels": labels})["Id"]
    post(alone, "/secrets/create", {"Name": unique, "Labels": labels, "Data": "eA=="})
    template = {"ContainerSpec": container, "Networks": [{"Target": network}]}
    for mode in ("Global", "GlobalJob"):
        body = {"Name": f"{unique}-{mode}", "Labels": labels, "TaskTemplate": template, "Mode": {mode: {}}}
        post(alone, "/services/create", body)
    assert until(lambda: all(len(labelled(url, "containers", unique)) == 2 for url in urls), 60)
    sweep_swarm(urls, unique)
    assert until(lambda: not [found for url in urls for kind in KINDS for found in labelled(url, kind, unique)], 60)


def post(swarm: Swarm, path: str, body: dict[str, object]) -> dict[str, Any]:
    status, text = talk.post(swarm.url(1), path, body)
    assert status == 201, text
    found: dict[str, Any] = json.loads(text)
    return found
