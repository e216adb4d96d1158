"""The Engine contract on a real engine, and what only a real one can show."""

import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.engine.image_build import BuildOptions, context_tar
from promoter.model.errors import BuildError, EngineError, PullError, PushError, StartError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.secrets import handle
from promoter.pipeline.compose.build import Ulimit
from promoter.pipeline.compose.deploy import Deploy, Limits, Resources
from promoter.pipeline.compose.service import Attachment, Healthcheck, Logging, Mount, Service
from promoter.promotion.ports.container import ContainerSpec, FileContent, NetworkSpec
from tests.contracts.engine import RUNS, EngineContract, silent
from tests.fakes.engine import Behaviour
from tests.fakes.secrets import FakeSecrets

BASE = "FROM scratch\nCOPY busybox /bin/busybox\nCOPY busybox /bin/sh\nENV PATH=/bin\n"
APPLETS = ("sleep", "true", "cat", "stat", "env", "id", "mount")


class RealSite:
    """Images are built once in a run and pushed. What a test makes has its prefix."""

    def __init__(self, engine: DockerEngine, registry: str, folder: Path) -> None:
        self.engine, self._registry, self._folder = engine, registry, folder
        self._images: dict[object, ImageRef] = {}
        self.prefix = f"t{uuid4().hex[:10]}"
        self.repository = Repository.parse(f"{registry}/{self.prefix}/app")

    def image(self, behaviour: Behaviour) -> ImageRef:
        key = (behaviour.exit_code, behaviour.logs, behaviour.healthcheck, behaviour.volumes)
        image = self._images.get(key)
        if image is None:
            tag = uuid4().hex[:10]
            self.build(tag, BASE + LINKS + _tail(behaviour))
            image = self._images[key] = ImageRef(self.repository, self.engine.push(self.repository, tag, silent))
        if not self.engine.has_image(image):  # Podman does not know what it pushed by its digest
            self.engine.pull(image, None, silent)
        return image

    def listener(self, address: str, port: int) -> AbstractContextManager[object]:
        if not self.engine.address.startswith("unix:"):
            pytest.skip(f"the host of the engine at {self.engine.address} may be another machine")
        return socket.create_server((address, port))

    def built(self) -> tuple[Repository, str]:
        self.build("built", f"{BASE}LABEL unique={self.prefix}\n")
        return self.repository, "built"

    def build(self, tag: str, dockerfile: str) -> list[str]:
        return self.build_as(f"{self.repository}:{tag}", dockerfile)

    def build_as(self, name: str, dockerfile: str) -> list[str]:
        context = context_tar(self._folder, inline=dockerfile)
        with context.tar:
            options = BuildOptions(name, labels={"promoter.test": self.prefix})
            return [line.get("stream", "") for line in self.engine.build_stream(context, options)]

    def sweep(self) -> None:
        """Remove what the port cannot remove, with the Docker client itself."""
        client = self.engine.client()
        for container in self.engine.find({"promoter.test": self.prefix}):
            self.engine.remove(container.id, volumes=True)
        chosen = {"params": {"filters": json.dumps({"label": [f"promoter.test={self.prefix}"]})}}
        for network in client.call("GET", "/networks", **chosen).json():
            client.call("DELETE", "/networks/{0}", network["Id"])
        for volume in client.call("GET", "/volumes", **chosen).json()["Volumes"] or ():
            client.call("DELETE", "/volumes/{0}", volume["Name"])
        for image in client.call("GET", "/images/json", **chosen).json():
            client.call("DELETE", "/images/{0}", image["Id"], params={"force": "1"})


LINKS = f'RUN ["/bin/busybox", "sh", "-c", "for name in {" ".join(APPLETS)}; do /bin/busybox ln -s busybox /bin/$name; done"]\n'


def _tail(behaviour: Behaviour) -> str:
    check = f"HEALTHCHECK CMD {json.dumps(behaviour.healthcheck[1:])}\n" if behaviour.healthcheck else ""
    message = f"printf '{behaviour.logs.encode('unicode_escape').decode()}'" if behaviour.logs else "true"
    ends = "exec sleep 1000" if behaviour.exit_code is None else f"exit {behaviour.exit_code}"
    check += f"VOLUME {json.dumps(behaviour.volumes)}\n" if behaviour.volumes else ""
    return check + "CMD " + json.dumps(["sh", "-c", f"{message}; {ends}"]) + "\n"


@pytest.fixture(scope="module")
def module_site(engine_url, registry_host, busybox_dir, tmp_path_factory) -> Iterator[RealSite]:
    folder = tmp_path_factory.mktemp("context")
    shutil.copy2(busybox_dir / "busybox", folder / "busybox")
    engine = open_engine(engine_url)
    site = RealSite(engine, registry_host, folder)
    try:
        yield site
    finally:
        site.sweep()
        engine.close()


@pytest.fixture
def site(module_site) -> Iterator[RealSite]:
    yield module_site
    for container in module_site.engine.find({"promoter.test": module_site.prefix}):
        module_site.engine.remove(container.id, volumes=True)


class TestRealEngine(EngineContract):
    def test_files_are_written_before_the_first_start(self, site, run):
        files = (
            FileContent("/run/secrets/deep/token", f"value {handle('token')}", uid=7, gid=8, mode=0o440),
            FileContent("/bin/extra", "x"),
        )
        spec = ContainerSpec(f"{site.prefix}-files", site.image(RUNS), Service(), {"promoter.test": site.prefix}, files)
        container = site.engine.create(spec, FakeSecrets({"token": "hunter2"}))
        site.engine.start(container)
        assert site.engine.exec(container, ("cat", "/run/secrets/deep/token"), 10).output == "value hunter2"
        output = site.engine.exec(container, ("stat", "-c", "%u:%g %a", "/run/secrets/deep/token", "/run/secrets", "/bin"), 10)
        assert output.output.split("\n")[:3] == ["7:8 440", "0:0 755", "0:0 755"]

    def test_secrets_are_revealed_to_the_engine_only(self, site):
        service = Service(environment={"TOKEN": handle("token")})
        spec = ContainerSpec(f"{site.prefix}-env", site.image(RUNS), service, {"promoter.test": site.prefix})
        container = site.engine.create(spec, FakeSecrets({"token": "hunter2"}))
        site.engine.start(container)
        assert "TOKEN=hunter2" in site.engine.exec(container, ("env",), 10).output.splitlines()

    def test_an_error_never_shows_a_secret(self, site):
        service = Service(volumes=(Mount(type="volume", source=f"bad name {handle('token')}", target="/x"),))
        spec = ContainerSpec(f"{site.prefix}-bad", site.image(RUNS), service, {})
        with pytest.raises(StartError, match=r"bad name \[secret token\]") as caught:
            site.engine.create(spec, FakeSecrets({"token": "hunter2"}))
        assert "hunter2" not in caught.value.message

    def test_several_networks_with_their_aliases(self, site, run):
        names = [self.network(site, "a"), self.network(site, "b")]
        container = run(Service(networks={name: Attachment(aliases=(f"alias-{name}",)) for name in names}))
        document = site.engine.client().call("GET", "/containers/{0}/json", container).json()
        attached = document["NetworkSettings"]["Networks"]
        assert set(attached) == set(names)
        assert all(f"alias-{name}" in attached[name]["Aliases"] for name in names)

    def test_a_second_network_that_is_not_there_leaves_nothing_behind(self, site, run):
        networks = {self.network(site, "c"): Attachment(), f"{site.prefix}-nowhere": Attachment()}
        with pytest.raises(StartError, match="nowhere"):
            run(Service(networks=networks))
        left = site.engine.find({"promoter.test": site.prefix})
        assert [c for c in left if c.running] == []

    def test_every_field_of_a_service_reaches_the_engine(self, site, run, tmp_path):
        service = Service(
            user="7:8",
            working_dir="/bin",
            hostname="box",
            read_only=True,
            tmpfs=("/scratch:size=1m",),
            stop_signal="SIGINT",
            init=True,
            restart="on-failure:2",
            cap_drop=("ALL",),
            cap_add=("NET_RAW",),
            ulimits={"nofile": Ulimit(soft=64, hard=128)},
            sysctls={"net.ipv4.ip_unprivileged_port_start": "0"},
            shm_size=1 << 20,
            extra_hosts={"db": ("10.0.0.9",)},
            dns=("10.0.0.1",),
            mem_limit=64 << 20,
            cpus=0.5,
            group_add=("9",),
            security_opt=("no-new-privileges:true",),
            deploy=Deploy(resources=Resources(limits=Limits(pids=50))),
            stop_grace_period=timedelta(seconds=3),
            volumes=(
                Mount(type="bind", source=str(tmp_path / "made"), target="/made", read_only=True),
                Mount(type="volume", target="/kept"),
                Mount(type="tmpfs", target="/fast", tmpfs_size=1 << 20),
            ),
        )
        container = run(service)
        host = site.engine.client().call("GET", "/containers/{0}/json", container).json()["HostConfig"]
        assert (host["Memory"], host["NanoCpus"], host["PidsLimit"], host["Init"]) == (64 << 20, 500_000_000, 50, True)
        assert host["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
        script = "id -u; id -g; pwd; hostname; grep files /proc/1/limits; cat /etc/hosts /etc/resolv.conf"
        inside = site.engine.exec(container, ("sh", "-c", script), 10)
        first, limits = inside.output.split("Max open files", 1)
        assert (first, limits.split()[:2]) == ("7\n8\n/bin\nbox\n", ["64", "128"]), inside.output
        assert "10.0.0.9\tdb" in inside.output and "nameserver 10.0.0.1" in inside.output
        mounts = site.engine.exec(container, ("mount",), 10).output
        assert all(f" on {path} " in mounts for path in ("/scratch", "/made", "/kept", "/fast"))

    def test_a_bind_of_nothing_is_refused_where_no_folder_may_be_made(self, site, run, tmp_path):
        mount = Mount(type="bind", source=str(tmp_path / "nothing"), target="/x", create_host_path=False)
        with pytest.raises(StartError, match="bind source path does not exist"):
            run(Service(volumes=(mount,)))

    def test_a_stopped_container_stays_stopped_when_the_engine_restarts(self, site, run):
        container = run(Service(restart="always"))
        site.engine.stop(container, timedelta(seconds=1))
        host = site.engine.client().call("GET", "/containers/{0}/json", container).json()["HostConfig"]
        assert host["RestartPolicy"]["Name"] == "unless-stopped"

    def test_a_terminal_has_logs_without_frames(self, site, run):
        container = run(Service(tty=True, command=("sh", "-c", "echo words")))
        site.engine.wait(container, 30)
        assert site.engine.logs(container, 10).split() == ["words"]

    def test_no_log_is_no_error(self, site, run):
        container = run(Service(logging=Logging(driver="none")))
        assert site.engine.logs(container, 10) == ""

    def test_exec_ends_with_its_time_however_the_words_trickle(self, site, run):
        talk = ("sh", "-c", "while true; do echo word; done")
        result = site.engine.exec(run(Service()), talk, 0.3)
        assert result.exit_code == 124 and "word" in result.output and len(result.output) < 2 << 20

    def test_start_interval_and_timing_reach_the_engine(self, site, run):
        check = Healthcheck(test=("CMD", "true"), interval=timedelta(seconds=5), start_period=timedelta(seconds=9), retries=4)
        document = site.engine.client().call("GET", "/containers/{0}/json", run(Service(healthcheck=check), start=False)).json()
        seen = document["Config"]["Healthcheck"]
        assert (seen["Interval"], seen["StartPeriod"], seen["Retries"]) == (5_000_000_000, 9_000_000_000, 4)

    def test_a_pull_from_a_registry_that_is_down_is_retried_and_then_reported(self, site):
        waits = []
        engine = open_engine(site.engine.address, sleep=waits.append)
        with pytest.raises(PullError) as caught, closing(engine):
            engine.pull(ImageRef(Repository.parse("127.0.0.1:1/x"), Digest("0" * 64)), None, silent)
        assert caught.value.retryable and len(waits) == 3
        assert "connection refused" in caught.value.message and caught.value.hint

    def test_a_push_to_a_registry_that_is_down_raises_an_error(self, site):
        site.image(RUNS)
        down = Repository.parse(f"127.0.0.1:1/{site.prefix}")
        site.build_as(f"{down}:v1", BASE)
        engine = open_engine(site.engine.address, sleep=lambda _: None)
        with pytest.raises(PushError, match="connection refused"), closing(engine):
            engine.push(down, "v1", silent)

    def test_a_pull_that_is_left_alone_stops(self, site):
        class Enough(Exception):
            pass

        def stop(*_: object) -> None:
            raise Enough

        image = site.image(RUNS)
        site.engine.remove_image(image)
        with pytest.raises(Enough):
            site.engine.pull(image, None, stop)

    def test_a_build_returns_its_log_and_its_error(self, site):
        assert any("Step 1/" in line for line in site.build("log", BASE))
        with pytest.raises(BuildError, match="returned a non-zero code: 9"):
            site.build("bad", BASE + 'RUN ["/bin/busybox", "sh", "-c", "exit 9"]\n')
        with pytest.raises(BuildError, match=r"NONSENSE|unknown instruction"):
            site.build("worse", "FROM scratch\nNONSENSE\n")

    def network(self, site: RealSite, name: str) -> str:
        full = f"{site.prefix}-{name}"
        mine = {"promoter.test": site.prefix}
        site.engine.ensure_network(NetworkSpec(full, mine), mine)
        return full


def test_a_missing_engine_is_reported_with_a_hint(tmp_path):
    engine = open_engine(f"unix://{tmp_path}/none.sock", sleep=lambda _: None)
    with pytest.raises(EngineError) as caught:
        engine.identify()
    assert caught.value.message.endswith("No such file or directory") and "running" in str(caught.value.hint)
