"""Fixtures that tests on the real engine share."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

import docker
import pytest
from parts import engine as engines
from parts import swarm as swarms
from parts.errors import LabError
from parts.front_images import build_all
from parts.sweep import sweep_swarm

from promoter.adapters.engine.connect import open_engine
from promoter.adapters.swarm.swarm import DockerSwarm
from tests.adapters.ledgers.postgres_server import Server, serving
from tests.ci import fixtures
from tests.ci.job import Job
from tests.conftest import Cli
from tests.live.app import SERVER, App
from tests.live.clusters import Clustered, prepared
from tests.live.fronted import FrontedApp
from tests.live.project import Project, initial
from tests.live.stage import Stage, push_shell

shared, wheelhouse, tool_cache, job = fixtures.shared, fixtures.wheelhouse, fixtures.tool_cache, fixtures.job


@pytest.fixture(scope="session")
def common_layers(engine_url: str, busybox_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the layers that the images of most tests begin with.

    Without it, the end of one test removes the layers that the build of another has just found in the cache.
    """
    folder, tag = tmp_path_factory.mktemp("common"), f"promoter-tests/common:{uuid4().hex[:8]}"
    shutil.copy2(busybox_dir / "busybox", folder / "busybox")
    (folder / "Dockerfile").write_text(SERVER.partition("COPY www")[0])
    with closing(docker.DockerClient(base_url=engine_url)) as client:
        client.images.build(path=str(folder), tag=tag)
        yield
        client.images.remove(tag)


@pytest.fixture
def app(
    cli: Cli,
    engine_url: str,
    registry_host: str,
    busybox_dir: Path,
    clean_engine: str,
    common_layers: None,
    free_port: Callable[[], int],
) -> Iterator[App]:
    engine = open_engine(engine_url)
    made = App(cli, clean_engine, registry_host, engine, {"dev": free_port(), "prod": free_port()})
    shutil.copy2(busybox_dir / "busybox", cli.cwd / "busybox")
    made.dockerfile()
    made.page("ready one")
    made.write()
    yield made
    engine.close()


@pytest.fixture(scope="session")
def front_images(haproxy_contexts: list[Path], engine_url: str, registry_host: str) -> Mapping[str, str]:
    """Return references of the images of fronts and of applications behind them, built once."""
    return build_all(engine_url, registry_host, dict(zip(("distribution", "newest"), haproxy_contexts, strict=False)))


@pytest.fixture
def fronted(app: App, front_images: Mapping[str, str]) -> FrontedApp:
    return FrontedApp(app, front_images)


@pytest.fixture(scope="module")
def server(postgres_programs: Path) -> Iterator[Server]:
    """Start PostgreSQL for the tests of one module."""
    with serving(postgres_programs) as made:
        yield made


@pytest.fixture
def program(registry_host: str) -> str:
    """Return the registry's binary: on PATH, or where the lab unpacked it."""
    from parts import lab_state

    unpacked = lab_state.directory() / "packages/docker-registry/usr/bin/docker-registry"
    found = shutil.which("docker-registry") or (str(unpacked) if unpacked.exists() else None)
    if found is None:
        pytest.skip(f"no docker-registry to start: the registry at {registry_host} was brought from elsewhere")
    return found


@pytest.fixture
def project(
    cli: Cli,
    engine_url: str,
    registry_host: str,
    busybox_dir: Path,
    clean_engine: str,
    free_port: Callable[[], int],
    job: Callable[..., Job],
    tmp_path: Path,
) -> Project:
    """Make an application in its own repository: dev, and prod behind an approval. Its ledger is a branch of the repository."""
    return initial(Project(cli, job, clean_engine, tmp_path), registry_host, busybox_dir, (free_port(), free_port()))


@pytest.fixture(scope="session")
def shell_image(engine_url: str, registry_host: str, busybox_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Push an image with a shell to the registry. Its tag stays on the engine for all workers."""
    with closing(docker.DockerClient(base_url=engine_url)) as client:
        push_shell(client, registry_host, tmp_path_factory.mktemp("shell"), busybox_dir)
    return f"{registry_host}/stage/shell:1"


@pytest.fixture
def stage(cli: Cli, engine_url: str, registry_host: str, clean_engine: str, shell_image: str) -> Iterator[Stage]:
    with closing(docker.DockerClient(base_url=engine_url)) as client:
        yield Stage(cli, clean_engine, registry_host, client)


@pytest.fixture
def clustered(cli: Cli, swarm: swarms.Swarm, busybox_dir: Path, unique: str, free_port: Callable[[], int]) -> Iterator[Clustered]:
    """Return an application on the swarm. It is built on the first node."""
    prepared(cli, busybox_dir)
    engines = [open_engine(swarm.url(node)) for node in swarms.NODES]
    cluster = DockerSwarm(engines)
    cli.env |= {
        "DOCKER_HOST": swarm.url(1),
        "PROMOTER_INSECURE_REGISTRIES": f"{swarm.registry},{swarm.locked}",
        "TOKEN": "s3cret-value",
    }
    try:
        with swarm.alone():
            yield Clustered(cli, unique, swarm, cluster, free_port())
            sweep_swarm([swarm.url(node) for node in swarms.NODES], unique)
    finally:
        for engine in engines:
            engine.close()


@pytest.fixture
def private_engine(engine_url: str) -> Iterator[Path]:
    """Return the directory of a private engine for one test. After a restart, its new networks have addresses outside the lab's.

    The lab's own engine is requested first: it installs what both need.
    """
    made = Path(mkdtemp(prefix="engine-", dir="/var/tmp"))
    try:
        engines.up(made)
        yield made
    except LabError as reason:
        pytest.skip(str(reason))
    finally:
        engines.down(made)
        shutil.rmtree(made, ignore_errors=True)
