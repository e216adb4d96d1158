"""The engine's JSON of a container and of a request, as settings that can be compared."""

from collections.abc import Mapping
from typing import Any

import pytest

from promoter.adapters.engine.observation import observation
from promoter.model.images import Digest, ImageRef, Repository
from promoter.pipeline.compose.service import Service
from promoter.promotion.ports.container import ContainerSpec, Observation

IMAGE = ImageRef(Repository("registry.example.com", "shop/web"), Digest("a" * 64))
ID = "40a2c7057031" + "0" * 52
BUILT: Mapping[str, Any] = {
    "Id": "sha256:" + "b" * 64,
    "RepoDigests": [str(IMAGE)],
    "Created": "2026-11-29T08:48:10Z",
    "Config": {"Env": ["PATH=/bin", "LEVEL=image"], "Cmd": ["serve"], "Volumes": {"/data": {}}, "Labels": {"by": "us"}},
}


def document(config: Mapping[str, Any], host: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the JSON of a container of `BUILT` that was made without any other settings than these."""
    shown = {"Hostname": ID[:12], "Env": ["PATH=/bin", "LEVEL=image"], "Cmd": ["serve"], "Labels": {"by": "us"}, **config}
    defaults = {
        "NetworkMode": "default",
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "IpcMode": "private",
        "LogConfig": {"Type": "json-file", "Config": {}},
        "Runtime": "runc",
        "ShmSize": 67108864,
        "PidsLimit": None,
    }
    mounts = [{"Type": "volume", "Name": "c" * 64, "Source": "/var/lib", "Destination": "/data", "RW": True}]
    return {"Id": ID, "Image": BUILT["Id"], "Config": shown, "HostConfig": {**defaults, **host}, "Mounts": mounts, **more}


def different(seen: Observation) -> dict[str, tuple[object, object]]:
    paths = seen.wanted.keys() | seen.found.keys()
    pairs = {path: (seen.wanted.get(path), seen.found.get(path)) for path in paths}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def seen(service: Mapping[str, Any], shown: Mapping[str, Any], **more: Any) -> Observation:
    return observation(shown, BUILT, ContainerSpec("web", IMAGE, Service.model_validate(service), {}), **more)


def test_what_image_and_engine_add_is_no_difference() -> None:
    found = seen({}, document({}, {}))
    assert different(found) == {}
    assert found.digests == {Digest("a" * 64), Digest("b" * 64)}
    assert "logging, runtime, shm_size" in found.not_compared[0]


@pytest.mark.parametrize(
    ("service", "config", "host"),
    [
        ({"cap_add": ["net_admin"]}, {}, {"CapAdd": ["CAP_NET_ADMIN"]}),
        ({"restart": "always"}, {}, {"RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0}}),
        ({"restart": "on-failure:3"}, {}, {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3}}),
        ({"privileged": True}, {}, {"Privileged": True, "SecurityOpt": ["label=disable"]}),
        ({"environment": {"LEVEL": "own"}}, {"Env": ["LEVEL=own", "PATH=/bin"]}, {}),
        ({"entrypoint": ["run"]}, {"Entrypoint": ["run"], "Cmd": None}, {}),
        ({"mem_swappiness": 10}, {}, {"MemorySwappiness": None}),
        ({"labels": {"dev.promoter.role": "live"}}, {"Labels": {"by": "us", "dev.promoter.role": "previous"}}, {}),
    ],
)
def test_two_forms_of_one_setting_are_no_difference(
    service: Mapping[str, Any], config: Mapping[str, Any], host: Mapping[str, Any]
) -> None:
    assert different(seen(service, document(config, host))) == {}


@pytest.mark.parametrize(
    ("config", "host", "path"),
    [
        ({"Env": ["PATH=/bin"]}, {}, "environment.LEVEL"),
        ({"Cmd": ["sleep"]}, {}, "command"),
        ({"User": "root"}, {}, "user"),
        ({"Hostname": "other"}, {}, "hostname"),
        ({"Labels": {"by": "them"}}, {}, "labels.by"),
        ({}, {"NetworkMode": "host"}, "network_mode"),
        ({}, {"IpcMode": "host"}, "ipc"),
        ({}, {"CapAdd": ["CAP_SYS_ADMIN"]}, "cap_add"),
        ({}, {"SecurityOpt": ["seccomp=unconfined"]}, "security_opt"),
        ({}, {"PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}}, "ports"),
    ],
)
def test_a_setting_that_was_added_is_a_difference(config: Mapping[str, Any], host: Mapping[str, Any], path: str) -> None:
    assert path in different(seen({}, document(config, host)))


def test_another_volume_is_a_difference() -> None:
    mounts = [{"Type": "bind", "Source": "/etc", "Destination": "/data", "RW": False}]
    assert different(seen({}, document({}, {}, Mounts=mounts)))["volumes./data"][1] == {
        "type": "bind",
        "source": "/etc",
        "read_only": True,
    }


def test_without_its_image_no_settings_are_compared() -> None:
    spec = ContainerSpec("web", IMAGE, Service(), {})
    found = observation(document({"Image": str(IMAGE)}, {}), None, spec)
    assert (found.wanted, found.found) == ({}, {}) and found.digests == {Digest("a" * 64), Digest("b" * 64)}
    assert "no longer on the engine" in found.not_compared[0]


def test_on_podman_only_variables_of_the_plan_are_compared() -> None:
    shown = document({"Env": ["container=podman", "LEVEL=other", "PATH=/bin"]}, {"CapDrop": ["CAP_MKNOD"]})
    found = seen({"environment": {"LEVEL": "own"}}, shown, podman=True)
    assert different(found) == {"environment.LEVEL": ("own", "other")}
    assert "Podman" in found.not_compared[0]
