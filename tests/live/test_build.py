"""Both builders on a real engine: the same requests make the same images. Also, what only one of them can do."""

import io
import json
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from promoter.adapters.builders.classic import EngineBuilder
from promoter.adapters.builders.select import choose_builder
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.registry.credentials import HUB_KEY, Login
from promoter.model.errors import BuildError, CallerError, Interrupted
from promoter.model.images import Repository
from promoter.model.secrets import handle
from promoter.pipeline.compose.build import Build, Ulimit
from promoter.promotion.ports.builder import Builder, BuildRequest
from tests.fakes.secrets import FakeSecrets
from tests.live.prometheus import until

BASE = "FROM scratch\nCOPY busybox /bin/busybox\n"
RUN = 'RUN ["/bin/busybox", "sh", "-c", "{}"]\n'


@dataclass
class BuildHarness:
    """A context with busybox in it, and an engine."""

    engine: DockerEngine
    directory: Path
    repository: Repository
    name: str

    def request(self, text: str | None = None, platform: str | None = None, **build: Any) -> BuildRequest:
        if text is not None:
            (self.directory / "Dockerfile").write_text(text)
        labels = {"dev.promoter.pipeline": self.name}
        return BuildRequest("web", Build(**build), self.directory, self.repository, "v1", labels, platform)

    def config(self) -> dict[str, Any]:
        """Return what the engine reports about the built image."""
        found = self.engine.document("image", "/images/{0}/json", f"{self.repository}:v1")
        assert found is not None
        return found

    def files(self) -> set[str]:
        """Return the paths in the image, from a container that is never started."""
        client = self.engine.client()
        made = client.call("POST", "/containers/create", json={"Image": f"{self.repository}:v1", "Cmd": ["x"]}).json()["Id"]
        try:
            data = client.call("GET", "/containers/{0}/export", made).content
        finally:
            client.call("DELETE", "/containers/{0}", made)
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return {member.name for member in tar.getmembers()}

    def sweep(self) -> None:
        client = self.engine.client()
        chosen = {"filters": json.dumps({"label": [f"dev.promoter.pipeline={self.name}"]})}
        for image in client.call("GET", "/images/json", params=chosen).json():
            client.call("DELETE", "/images/{0}", image["Id"], params={"force": "1"})


@pytest.fixture
def harness(engine_url: str, registry_host: str, busybox_dir: Path, tmp_path: Path, unique: str) -> Iterator[BuildHarness]:
    shutil.copy2(busybox_dir / "busybox", tmp_path / "busybox")
    with (tmp_path / "busybox").open("ab") as program:
        program.write(unique.encode())  # harmless at its end, and not in the cache of an earlier run
    engine = open_engine(engine_url)
    made = BuildHarness(engine, tmp_path, Repository(registry_host, f"{unique}/web"), unique)
    yield made
    made.sweep()
    engine.close()


@pytest.fixture
def buildx(harness: BuildHarness, buildx_config: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    monkeypatch.setenv("DOCKER_CONFIG", str(buildx_config))
    return choose_builder("buildx", harness.engine)


@pytest.fixture(params=["engine", "buildx"])
def builder(request: pytest.FixtureRequest, harness: BuildHarness) -> Builder:
    return request.getfixturevalue("buildx") if request.param == "buildx" else EngineBuilder(harness.engine)


@dataclass
class Built:
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def build(builder: Builder, request: BuildRequest, secrets: FakeSecrets | None = None) -> Built:
    assert builder.refuse(request) is None
    lines: list[str] = []
    builder.build(request, secrets or FakeSecrets(), lines.append)
    return Built(lines)


def is_old(harness: BuildHarness) -> bool:
    """Return whether the engine's BuildKit is older than that of engine 23."""
    return int(harness.engine.identify().version.partition(".")[0]) < 23


def failed(builder: Builder, request: BuildRequest, secrets: FakeSecrets | None = None) -> BuildError:
    with pytest.raises(BuildError) as caught:
        build(builder, request, secrets)
    assert caught.value.message.startswith("web could not be built: ")
    return caught.value


# ------------------------------------------------------------------ both builders
def test_a_build_lands_in_the_engine_with_its_labels_and_log(harness: BuildHarness, builder: Builder) -> None:
    output = build(builder, harness.request(BASE + RUN.format("echo loud and clear") + "LABEL own=1\n", labels={"theirs": "2"}))
    assert "loud and clear" in output.text
    labels = harness.config()["Config"]["Labels"]
    assert (labels["own"], labels["theirs"], labels["dev.promoter.pipeline"]) == ("1", "2", harness.name)


def test_a_build_can_be_pushed(harness: BuildHarness, builder: Builder) -> None:
    build(builder, harness.request(BASE))
    digest = harness.engine.push(harness.repository, "v1", lambda *_: None)
    build(builder, harness.request(BASE))
    assert harness.engine.push(harness.repository, "v1", lambda *_: None) == digest


def test_arguments_and_target(harness: BuildHarness, builder: Builder) -> None:
    text = f"{BASE.replace('scratch', 'scratch AS one')}ARG A\nENV A=$A\nFROM one AS two\nENV TWO=2\n"
    build(builder, harness.request(text, args={"A": "a b"}, target="one"))
    environment = harness.config()["Config"]["Env"]
    assert "A=a b" in environment and "TWO=2" not in environment


def test_a_secret_argument_is_passed_and_masked_in_the_log(harness: BuildHarness, builder: Builder) -> None:
    asked = harness.request(f"{BASE}ARG TOKEN\n" + RUN.format("echo got $TOKEN"), args={"TOKEN": f"x-{handle('token')}"})
    output = build(builder, asked, FakeSecrets({"token": "hunter2"}))
    assert "got x-[secret token]" in output.text and "hunter2" not in output.text


def test_an_inline_dockerfile(harness: BuildHarness, builder: Builder) -> None:
    build(builder, harness.request(dockerfile_inline=f"{BASE}ENV INLINE={handle('token')}\n"), FakeSecrets({"token": "yes"}))
    assert "INLINE=yes" in harness.config()["Config"]["Env"]


def test_an_inline_dockerfile_and_its_secrets_leave_no_files(
    harness: BuildHarness, builder: Builder, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr("tempfile.tempdir", None)
    build(builder, harness.request(dockerfile_inline=f"{BASE}ENV INLINE={handle('token')}\n"), FakeSecrets({"token": "yes"}))
    assert list(directory.iterdir()) == []


def test_a_dockerfile_outside_the_context_is_built(harness: BuildHarness, builder: Builder) -> None:
    (harness.directory / "context").mkdir()
    (harness.directory / "context/file").touch()
    (harness.directory / "Other").write_text("FROM scratch\nCOPY file /file\n")
    build(builder, harness.request(context="context", dockerfile="../Other"))
    assert "file" in harness.files()


@pytest.mark.parametrize("own", [False, True])
def test_what_is_ignored_stays_outside(harness: BuildHarness, builder: Builder, own: bool) -> None:
    for name in ("keep.txt", "secret.txt", "deep/secret.txt", "deep/keep.txt", "deep/special.secret.txt"):
        (harness.directory / "files" / name).parent.mkdir(exist_ok=True, parents=True)
        (harness.directory / "files" / name).touch()
    (harness.directory / ".dockerignore").write_text(
        "files\n" if own else "# a comment\n**/*secret.txt\n!**/special.secret.txt\n"
    )
    if own:
        (harness.directory / "Dockerfile.dockerignore").write_text("**/*secret.txt\n!**/special.secret.txt\n")
    build(builder, harness.request("FROM scratch\nCOPY files /files\n"))
    files = {name for name in harness.files() if name.startswith("files/") and name.endswith(".txt")}
    assert files == {"files/keep.txt", "files/deep/keep.txt", "files/deep/special.secret.txt"}


def test_network_hosts_and_platform(harness: BuildHarness, builder: Builder) -> None:
    text = BASE + RUN.format("/bin/busybox cat /etc/hosts")
    output = build(
        builder,
        harness.request(text, "linux/amd64", extra_hosts={"db.example.com": ("10.1.2.3",)}, network="host"),
    )
    assert "10.1.2.3\tdb.example.com" in output.text
    assert harness.config()["Architecture"] == "amd64"


def test_shared_memory_is_given_or_refused(harness: BuildHarness, builder: Builder) -> None:
    asked = harness.request(BASE + RUN.format("/bin/busybox df /dev/shm"), shm_size=32 * 1024 * 1024)
    if builder.name == "buildx" and is_old(harness):
        assert "does not support `build.shm_size`" in str(builder.refuse(asked))
    else:
        assert "32768" in build(builder, asked).text


def test_ulimits_apply_to_the_steps_of_a_build(harness: BuildHarness, builder: Builder) -> None:
    asked = harness.request(BASE + RUN.format("ulimit -n"), ulimits={"nofile": Ulimit(soft=321, hard=321)})
    if builder.name == "buildx" and is_old(harness):
        assert "does not support `build.ulimits`" in str(builder.refuse(asked))
    else:
        assert "321" in build(builder, asked).text


def test_without_cache_everything_runs_again(harness: BuildHarness, builder: Builder) -> None:
    asked = harness.request(BASE + RUN.format("echo ran again"))
    assert "ran again" in build(builder, asked).text
    assert "ran again" not in build(builder, asked).text.replace(RUN.format("echo ran again").strip(), "").replace(
        '"echo ran again"', ""
    )
    again = build(builder, harness.request(no_cache=True)).text
    assert "ran again" in again.replace('"echo ran again"', "")


def test_a_command_that_fails_shows_its_last_words(harness: BuildHarness, builder: Builder) -> None:
    error = failed(builder, harness.request(BASE + RUN.format("echo last words; exit 7")))
    assert "last words" in error.message and "7" in error.message and not error.retryable


def test_a_file_that_is_not_there(harness: BuildHarness, builder: Builder) -> None:
    assert "absent" in failed(builder, harness.request("FROM scratch\nCOPY absent /x\n")).message


def test_a_dockerfile_that_is_none(harness: BuildHarness, builder: Builder) -> None:
    assert "bogus" in failed(builder, harness.request("FROM scratch\nBOGUS x\n")).message.lower()


def test_a_secret_in_a_failure_is_masked(harness: BuildHarness, builder: Builder) -> None:
    asked = harness.request(f"{BASE}ARG TOKEN\n" + RUN.format("echo got $TOKEN; exit 1"), args={"TOKEN": handle("token")})
    assert "hunter2" not in failed(builder, asked, FakeSecrets({"token": "hunter2"})).message


def test_a_missing_base_image_fails_with_its_name(harness: BuildHarness, builder: Builder) -> None:
    assert "never" in failed(builder, harness.request(f"FROM {harness.repository.host}/never/was:v1\n")).message


def test_builds_run_side_by_side(harness: BuildHarness, builder: Builder) -> None:
    def one(number: int) -> str:
        text = BASE + RUN.format(f"echo build {number}")
        request = BuildRequest(
            f"s{number}",
            Build(dockerfile_inline=text),
            harness.directory,
            harness.repository,
            f"n{number}",
            {"dev.promoter.pipeline": harness.name},
        )
        return build(builder, request).text

    with ThreadPoolExecutor(4) as pool:
        for number, text in enumerate(pool.map(one, range(4))):
            assert f"build {number}" in text
            assert harness.engine.image_id(f"{harness.repository}:n{number}")


def test_an_interruption_is_noticed_while_the_build_is_silent(
    harness: BuildHarness, builder_with: Callable[..., Builder]
) -> None:
    sleeping = threading.Event()

    def check() -> None:
        if sleeping.is_set():
            raise Interrupted

    def hear(line: str) -> None:
        if "sleepy" in line and "echo" not in line:
            sleeping.set()

    asked = harness.request(BASE + RUN.format("echo sleepy; /bin/busybox sleep 100"))
    with pytest.raises(Interrupted):
        builder_with(check).build(asked, FakeSecrets(), hear)
    assert harness.engine.image_id(f"{harness.repository}:v1") is None


@pytest.fixture
def builder_with(harness: BuildHarness, buildx_config: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Builder]:
    monkeypatch.setenv("DOCKER_CONFIG", str(buildx_config))
    return lambda check: choose_builder("buildx", harness.engine, check=check)


# ------------------------------------------------------------------ one of the builders
def test_buildkit_needs_buildx(harness: BuildHarness, buildx: Builder) -> None:
    asked = harness.request(BASE + 'RUN --mount=type=cache,target=/cache ["/bin/busybox", "sh", "-c", "echo cached"]\n')
    why = EngineBuilder(harness.engine).refuse(asked)
    assert why is not None
    assert f"line 3 of {harness.directory}/Dockerfile" in why and "RUN --mount" in why and "docker-buildx" in why
    assert "cached" in build(buildx, asked).text


def test_the_engines_builder_refuses_what_it_cannot_fetch(harness: BuildHarness) -> None:
    why = EngineBuilder(harness.engine).refuse(harness.request(context="https://example.com/acme/shop.git"))
    assert why is not None and "https://example.com/acme/shop.git" in why and "docker-buildx" in why


def test_an_inline_dockerfile_is_named_so(harness: BuildHarness) -> None:
    why = EngineBuilder(harness.engine).refuse(harness.request(dockerfile_inline="FROM scratch\nCOPY --link a b\n"))
    assert why is not None and "line 2 of its inline Dockerfile has COPY --link" in why


def test_the_engines_builder_leaves_no_container_behind(harness: BuildHarness) -> None:
    marked = f"{BASE}LABEL dev.promoter.pipeline={harness.name}\n"
    build(EngineBuilder(harness.engine), harness.request(marked + RUN.format("echo 1") + RUN.format("echo 2")))
    failed(EngineBuilder(harness.engine), harness.request(marked + RUN.format("echo 3; exit 1")))
    assert harness.engine.find({"dev.promoter.pipeline": harness.name}) == ()


def test_an_interruption_stops_listening_to_the_engine(harness: BuildHarness) -> None:
    asked, received = harness.request(BASE + RUN.format("echo sleepy; /bin/busybox sleep 3")), threading.Event()

    def check() -> None:
        if received.is_set():
            raise Interrupted

    with pytest.raises(Interrupted):
        EngineBuilder(harness.engine, check=check).build(
            asked, FakeSecrets(), lambda line: received.set() if line == "sleepy" else None
        )


def test_only_the_logins_of_base_images_go_to_the_engine(harness: BuildHarness) -> None:
    asked: list[str] = []

    def logins(host: str) -> Login:
        asked.append(host)
        return Login("ana", "x") if host == "docker.io" else Login("", "", "tok")

    builder = EngineBuilder(harness.engine, logins)
    request = harness.request("FROM alpine AS a\nFROM r.example.com/x\nCOPY --from=a /x /x\nFROM scratch\n")
    options = builder._options(request, FakeSecrets())
    assert asked == ["docker.io", "r.example.com"]
    assert options.registry_auths == {HUB_KEY: {"username": "ana", "password": "x"}, "r.example.com": {"identitytoken": "tok"}}


# ------------------------------------------------------------------ the choice of a builder
@pytest.fixture
def no_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_CONFIG", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    monkeypatch.setattr("promoter.adapters.builders.select.SYSTEM", ())


def test_auto_takes_buildx_where_it_is(harness: BuildHarness, buildx: Builder) -> None:
    assert choose_builder("auto", harness.engine).name == buildx.name == "buildx"
    assert choose_builder("engine", harness.engine).name == "engine"


@pytest.mark.usefixtures("no_plugin")
def test_auto_takes_the_engine_where_it_is_not(harness: BuildHarness) -> None:
    assert choose_builder("auto", harness.engine).name == "engine"


@pytest.mark.usefixtures("no_plugin")
def test_buildx_demanded_and_missing(harness: BuildHarness) -> None:
    with pytest.raises(CallerError) as caught:
        choose_builder("buildx", harness.engine)
    assert "docker-buildx" in caught.value.message and "docker-buildx" in str(caught.value.hint)


# ------------------------------------------------------------------ features that need BuildKit
NEEDS_BUILDKIT: dict[str, Any] = {
    "additional_contexts": {"assets": "/tmp"},
    "secrets": {"npm": handle("token")},
    "ssh": {"default": ""},
    "entitlements": ("network.host",),
    "privileged": True,
    "no_cache_filter": ("one",),
}


@pytest.mark.parametrize("key", NEEDS_BUILDKIT)
def test_the_engines_own_builder_refuses_what_it_cannot_do(harness: BuildHarness, key: str) -> None:
    why = EngineBuilder(harness.engine).refuse(harness.request(BASE, **{key: NEEDS_BUILDKIT[key]}))
    assert why is not None and f"`build.{key}` needs BuildKit" in why and "docker-buildx" in why


def test_a_build_copies_from_an_additional_context(
    harness: BuildHarness, buildx: Builder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assets = tmp_path_factory.mktemp("assets")
    (assets / "logo.txt").write_text("logo")
    asked = harness.request(f"{BASE}COPY --from=assets logo.txt /logo.txt\n", additional_contexts={"assets": str(assets)})
    if is_old(harness):
        assert "does not support `build.additional_contexts`" in str(buildx.refuse(asked))
    else:
        build(buildx, asked)
        assert "logo.txt" in harness.files()


def test_a_build_reads_a_secret_that_is_not_in_the_image(harness: BuildHarness, buildx: Builder) -> None:
    step = 'RUN --mount=type=secret,id=npm ["/bin/busybox", "sh", "-c", "/bin/busybox cat /run/secrets/npm"]\n'
    lines = build(buildx, harness.request(BASE + step, secrets={"npm": handle("token")}), FakeSecrets({"token": "hunter2"}))
    assert "[secret token]" in lines.text and "hunter2" not in lines.text
    assert "hunter2" not in json.dumps(harness.config())


def test_a_build_uses_the_ssh_agent(
    harness: BuildHarness, buildx: Builder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    agent = tmp_path / "agent.sock"
    with subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL) as running:
        try:
            until(agent.exists)
            monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
            step = 'RUN --mount=type=ssh ["/bin/busybox", "sh", "-c", "test -S $SSH_AUTH_SOCK && echo an agent"]\n'
            asked = harness.request(BASE + step, ssh={"default": ""})
            assert "an agent" in build(choose_builder("buildx", harness.engine), asked).text
        finally:
            running.terminate()


def test_a_filter_builds_one_stage_without_the_cache(harness: BuildHarness, buildx: Builder) -> None:
    base, steps = BASE.replace("scratch", "scratch AS base"), [RUN.format(f"echo {name} stage") for name in ("base", "end")]
    text = f"{base}{steps[0]}FROM base AS end\n{steps[1]}"
    build(buildx, harness.request(text))
    again = build(buildx, harness.request(text, no_cache_filter=("end",))).lines
    ran = [line for line in again if line.endswith((" base stage", " end stage")) and "RUN" not in line]
    assert [line.rpartition(" ")[0].rpartition(" ")[2] for line in ran] == ["end"]
