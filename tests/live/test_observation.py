"""What the real engine shows of a container that was made with many settings: no difference from its spec."""

from collections.abc import Callable, Iterator

import pytest

from promoter.adapters.engine.connect import open_engine
from promoter.model.images import ImageRef, Reference
from promoter.pipeline.compose.service import Service
from promoter.promotion.ports.container import ContainerSpec, NetworkSpec, VolumeSpec
from promoter.promotion.ports.engine import Engine
from tests.fakes.secrets import FakeSecrets

MANY = {
    "command": ["sleep", "100"],
    "environment": {"A": "1", "PATH": "/bin"},
    "labels": {"com.example.team": "shop"},
    "user": "1000:1000",
    "working_dir": "/tmp",
    "init": True,
    "tty": True,
    "restart": "always",
    "stop_signal": "SIGINT",
    "stop_grace_period": "3s",
    "cap_add": ["NET_ADMIN"],
    "cap_drop": ["CAP_MKNOD"],
    "read_only": True,
    "security_opt": ["no-new-privileges:true"],
    "sysctls": {"net.core.somaxconn": "1024"},
    "ulimits": {"nofile": 1024},
    "mem_limit": "64m",
    "cpus": 0.5,
    "pids_limit": 100,
    "shm_size": "32m",
    "tmpfs": ["/run:size=1m"],
    "extra_hosts": {"other": "10.0.0.1"},
    "dns": ["10.0.0.53"],
    "logging": {"driver": "json-file", "options": {"max-size": "1m"}},
    "healthcheck": {"test": ["CMD", "true"], "interval": "5s", "start_interval": "1s"},
    "hostname": "web",
}


@pytest.fixture
def engine(engine_url: str, clean_engine: str) -> Iterator[Engine]:
    opened = open_engine(engine_url)
    yield opened
    opened.close()


@pytest.fixture
def image(engine: Engine, shell_image: str) -> ImageRef:
    reference = Reference.parse(shell_image)
    identifier = engine.image_id(shell_image)
    assert identifier is not None
    found = ImageRef(reference.repository, engine.image_digests(identifier, reference.repository)[0])
    engine.pull(found, None, lambda *_: None)
    return found


def test_many_settings_show_no_difference(
    engine: Engine, image: ImageRef, clean_engine: str, free_port: Callable[[], int]
) -> None:
    labels = {"dev.promoter.pipeline": clean_engine}
    engine.ensure_network(NetworkSpec(f"{clean_engine}-net", labels), labels)
    engine.ensure_volume(VolumeSpec(f"{clean_engine}-data", labels), labels)
    service = Service.model_validate(
        {
            **MANY,
            "ports": [f"127.0.0.1:{free_port()}:8080", "9090"],
            "networks": {f"{clean_engine}-net": {"aliases": ["web", "shop"]}},
            "volumes": [
                {"type": "volume", "source": f"{clean_engine}-data", "target": "/data", "read_only": True},
                {"type": "volume", "target": "/anonymous"},
                {"type": "bind", "source": "/tmp", "target": "/host", "read_only": True},
                {"type": "tmpfs", "target": "/memory", "tmpfs_size": 1048576},
            ],
        }
    )
    spec = ContainerSpec(f"{clean_engine}-many", image, service, labels)
    made = engine.create(spec, FakeSecrets())
    try:
        before = engine.observe(made, spec)
        assert before is not None
        assert {
            path: (before.wanted.get(path), before.found.get(path)) for path in before.wanted.keys() | before.found.keys()
        } == {path: (before.wanted.get(path), before.wanted.get(path)) for path in before.wanted}
        engine.start(made)
        engine.stop(made, None)
        after = engine.observe(made, spec)
        assert after is not None and after.wanted == after.found
    finally:
        engine.remove(made, volumes=True)
