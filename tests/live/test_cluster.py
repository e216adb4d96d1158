"""The Cluster contract on a real Docker Swarm of three managers."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from parts import swarm as swarms
from parts import talk

from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.engine.image_build import BuildOptions, context_tar
from promoter.adapters.swarm.swarm import DockerSwarm
from promoter.model.images import ImageRef, Repository
from tests.contracts.cluster import ClusterContract
from tests.contracts.engine import silent
from tests.fakes.engine import Behaviour

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("swarm")]
BASE = 'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n'


class RealSite:
    """Images are built once on the first node, and pushed. What a test makes has its prefix."""

    nodes = tuple(f"node-{number}" for number in swarms.NODES)

    def __init__(self, swarm: swarms.Swarm, engines: list[DockerEngine], folder: Path) -> None:
        self._swarm, self._engines, self._folder = swarm, engines, folder
        self._images: dict[str, ImageRef] = {}
        self.prefix = f"t{uuid4().hex[:10]}"
        self.repository = Repository.parse(f"{swarm.registry}/{self.prefix}/app")
        self.cluster = DockerSwarm(engines)
        self._build("base", BASE)

    def image(self, behaviour: Behaviour) -> ImageRef:
        dockerfile = f"FROM {self.repository}:base\n{_tail(behaviour)}"
        if dockerfile not in self._images:
            tag = uuid4().hex[:10]
            self._build(tag, dockerfile)
            self._images[dockerfile] = ImageRef(self.repository, self._engines[0].push(self.repository, tag, silent))
        return self._images[dockerfile]

    def version(self, name: str) -> int:
        return int(self._document(name)["Version"]["Index"])

    def use_by_hand(self, name: str, image: ImageRef) -> None:
        found = self._document(name)
        found["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"] = str(image)
        path = f"/services/{found['ID']}/update?version={found['Version']['Index']}"
        status, text = talk.post(self._swarm.url(2), path, found["Spec"])
        assert status == 200, text

    def alone(self, node: str) -> DockerSwarm:
        return DockerSwarm([self._engines[self.nodes.index(node)]])

    def pause(self) -> None:
        time.sleep(0.1)

    def sweep(self) -> None:
        """Remove what the port cannot remove, with the Docker client itself."""
        client = self._engines[0].client()
        for container in self.cluster.find({"dev.promoter.pipeline": self.prefix}):
            self.cluster.remove(container.id)
        self.cluster.remove_files({"dev.promoter.pipeline": self.prefix}, ())
        chosen = {"params": {"filters": json.dumps({"label": [f"dev.promoter.pipeline={self.prefix}"]})}}
        for network in client.call("GET", "/networks", **chosen).json():
            client.call("DELETE", "/networks/{0}", network["Id"])

    def _document(self, name: str) -> dict:
        status, text = talk.get(self._swarm.url(2), f"/services/{name}")
        assert status == 200, text
        return json.loads(text)

    def _build(self, tag: str, dockerfile: str) -> None:
        context = context_tar(self._folder, inline=dockerfile)
        with context.tar:
            list(self._engines[0].build_stream(context, BuildOptions(f"{self.repository}:{tag}")))


def _tail(behaviour: Behaviour) -> str:
    check = (
        f"HEALTHCHECK --interval=200ms --retries=1 CMD {json.dumps(behaviour.healthcheck[1:])}\n" if behaviour.healthcheck else ""
    )
    message = f"printf '{behaviour.logs.encode('unicode_escape').decode()}'" if behaviour.logs else "true"
    ends = "exec sleep 1000" if behaviour.exit_code is None else f"exit {behaviour.exit_code}"
    return f"{check}CMD {json.dumps(['sh', '-c', f'{message}; {ends}'])}\n"


@pytest.fixture(scope="module")
def module_site(swarm: swarms.Swarm, busybox_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSite]:
    folder = tmp_path_factory.mktemp("context")
    shutil.copy2(busybox_dir / "busybox", folder / "busybox")
    with ExitStack() as stack:
        engines = [open_engine(swarm.url(node)) for node in swarms.NODES]
        for engine in engines:
            stack.callback(engine.close)
        with swarm.alone():
            made = RealSite(swarm, engines, folder)
        yield made
        with swarm.alone():
            made.sweep()


@pytest.fixture
def site(module_site: RealSite, swarm: swarms.Swarm) -> Iterator[RealSite]:
    """Return the site while no other process loses nodes of the swarm."""
    with swarm.alone():
        yield module_site


class TestRealCluster(ClusterContract):
    pass
