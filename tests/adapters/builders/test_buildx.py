"""The arguments and the environment of the child process. tests/live/test_build.py shows that it builds."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest
from parts.processes import until

from promoter.adapters.builders.buildx import BuildxBuilder, command, reach
from promoter.adapters.builders.select import find_plugin
from promoter.adapters.engine.address import Ssh, Target, Tls
from promoter.model.errors import BuildError, Interrupted
from promoter.model.images import Repository
from promoter.model.secrets import handle
from promoter.pipeline.compose.build import Build, Ulimit
from promoter.promotion.ports.builder import BuildRequest
from tests.fakes.secrets import FakeSecrets

LOCAL = Target("unix:///run/x.sock", socket="/run/x.sock")


def request(directory: Path, **build: object) -> BuildRequest:
    return BuildRequest("web", Build(**build), directory, Repository("127.0.0.1:5000", "web"), "v1", {"ours": "1"})


def plugin(folder: Path, script: str) -> Path:
    path = folder / "docker-buildx"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_the_words_of_a_whole_request(tmp_path: Path) -> None:
    build = {
        "context": "web",
        "dockerfile": "Other",
        "target": "runtime",
        "args": {"A": "1", "C": handle("token")},
        "labels": {"ours": "no", "theirs": "2"},
        "cache_from": ("x:cache",),
        "network": "host",
        "shm_size": 1024,
        "extra_hosts": {"db": ("10.0.0.1", "::1")},
        "platforms": ("linux/amd64",),
        "no_cache": True,
        "pull": True,
        "no_cache_filter": ("one", "two"),
        "additional_contexts": {"assets": "/a"},
        "secrets": {"npm": handle("token")},
        "ssh": {"default": "", "other": "/k"},
        "ulimits": {"nofile": Ulimit(soft=1, hard=2)},
        "entitlements": ("network.host",),
        "privileged": True,
    }
    words = command(Path("/p"), request(tmp_path, **build))
    assert words == [
        "/p",
        "build",
        "--builder",
        "default",
        "--load",
        "--provenance=false",
        "--sbom=false",
        "--progress=plain",
        "--tag",
        "127.0.0.1:5000/web:v1",
        "--build-arg",
        "A=1",
        "--build-arg",
        "C",
        "--label",
        "ours=1",
        "--label",
        "theirs=2",
        "--cache-from",
        "x:cache",
        "--add-host",
        "db:10.0.0.1",
        "--add-host",
        "db:::1",
        "--target",
        "runtime",
        "--network",
        "host",
        "--platform",
        "linux/amd64",
        "--shm-size",
        "1024",
        "--build-context",
        "assets=/a",
        "--secret",
        "id=npm,env=PROMOTER_BUILD_SECRET_0",
        "--ssh",
        "default",
        "--ssh",
        "other=/k",
        "--ulimit",
        "nofile=1:2",
        "--allow",
        "network.host",
        "--allow",
        "security.insecure",
        "--no-cache-filter",
        "one,two",
        "--no-cache",
        "--pull",
        "--file",
        f"{tmp_path}/web/Other",
        "--",
        f"{tmp_path}/web",
    ]


def test_an_inline_dockerfile_is_read_from_standard_input(tmp_path: Path) -> None:
    assert command(Path("/p"), request(tmp_path, dockerfile_inline="FROM x"))[-4:] == ["--file", "-", "--", str(tmp_path)]


def test_a_remote_context_stays_as_it_is(tmp_path: Path) -> None:
    words = command(Path("/p"), request(tmp_path, context="https://example.com/x.git", dockerfile="d/Dockerfile"))
    assert words[-4:] == ["--file", "d/Dockerfile", "--", "https://example.com/x.git"]


def test_secrets_reach_the_child_by_its_environment_alone(tmp_path: Path) -> None:
    script = f'env > {tmp_path}/env; echo "$@" > {tmp_path}/argv; cat > {tmp_path}/stdin; echo said $C >&2'
    output: list[str] = []
    asked = request(tmp_path, args={"C": f"x-{handle('token')}"}, dockerfile_inline=f"FROM scratch\nENV X={handle('token')}\n")
    BuildxBuilder(
        plugin(tmp_path, script), LOCAL, environ={**os.environ, "DOCKER_CONTEXT": "other", "BUILDX_BUILDER": "other"}
    ).build(asked, FakeSecrets({"token": "hunter2"}), output.append)
    lines = (tmp_path / "env").read_text().splitlines()
    assert "C=x-hunter2" in lines and "DOCKER_HOST=unix:///run/x.sock" in lines
    assert not any(line.startswith(("DOCKER_CONTEXT=", "BUILDX_BUILDER=")) for line in lines)
    assert "hunter2" not in (tmp_path / "argv").read_text()
    assert (tmp_path / "stdin").read_text() == "FROM scratch\nENV X=hunter2\n"
    assert output == ["said x-[secret token]"]


def test_a_failure_shows_the_error_and_the_last_lines(tmp_path: Path) -> None:
    builder = BuildxBuilder(
        plugin(tmp_path, "echo '#5 make: no rule' >&2; echo 'ERROR: failed to solve: exit 2' >&2; exit 1"), LOCAL
    )
    with pytest.raises(BuildError) as caught:
        builder.build(request(tmp_path), FakeSecrets(), lambda _: None)
    assert caught.value.message.splitlines() == [
        "web could not be built: failed to solve: exit 2",
        "  #5 make: no rule",
        "  ERROR: failed to solve: exit 2",
    ]
    assert not caught.value.retryable


def test_an_engine_that_is_away_is_named(tmp_path: Path) -> None:
    builder = BuildxBuilder(plugin(tmp_path, "echo 'ERROR: Cannot connect to the Docker daemon at x' >&2; exit 1"), LOCAL)
    with pytest.raises(BuildError) as caught:
        builder.build(request(tmp_path), FakeSecrets(), lambda _: None)
    assert LOCAL.address in str(caught.value.hint) and caught.value.retryable


def test_a_plugin_that_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot be run"):
        BuildxBuilder(tmp_path / "absent", LOCAL).build(request(tmp_path), FakeSecrets(), lambda _: None)


@pytest.mark.parametrize("stubborn", [False, True])
def test_an_interruption_ends_the_child_and_its_children(tmp_path: Path, stubborn: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promoter.adapters.builders.buildx._GRACE", 0.2)
    started = threading.Event()

    def check() -> None:
        if started.is_set():
            raise Interrupted

    trap = "trap '' TERM; " if stubborn else ""
    script = f"{trap}sleep 60 & echo $! > {tmp_path}/pids; echo $$ >> {tmp_path}/pids; echo begun; wait; sleep 60"
    with pytest.raises(Interrupted):
        BuildxBuilder(plugin(tmp_path, script), LOCAL, check).build(request(tmp_path), FakeSecrets(), lambda _: started.set())
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        # a signal is sent before the kernel has delivered it
        assert until(lambda pid=pid: has_ended(pid), 10), pid


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_an_error_of_the_listener_ends_the_child_too(tmp_path: Path) -> None:
    def fall(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt, match=r"\d+") as caught:
        BuildxBuilder(plugin(tmp_path, "echo $$; exec sleep 60"), LOCAL).build(request(tmp_path), FakeSecrets(), fall)
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(caught.value)), signal.SIGTERM)


def test_what_buildx_cannot_do_is_refused(tmp_path: Path) -> None:
    builder = BuildxBuilder(Path("/p"), LOCAL)
    (tmp_path / "Dockerfile").touch()
    assert builder.refuse(request(tmp_path, network="none")) is None
    assert "'mynet'" in str(builder.refuse(request(tmp_path, network="mynet")))
    assert "does not exist" in str(builder.refuse(request(tmp_path, context="absent")))


@pytest.mark.parametrize(("version", "refused"), [("20.10.24+dfsg1", True), ("23.0.1", False), ("28.5.2", False)])
def test_shared_memory_that_an_old_engine_would_ignore_is_refused(tmp_path: Path, version: str, refused: bool) -> None:
    (tmp_path / "Dockerfile").touch()
    builder = BuildxBuilder(Path("/p"), LOCAL, version=lambda: version)
    assert (builder.refuse(request(tmp_path, shm_size=1)) is not None) is refused
    assert builder.refuse(request(tmp_path)) is None


@pytest.mark.parametrize("name", ["PATH", "HOME", "DOCKER_HOST", "BUILDX_CONFIG"])
def test_a_secret_under_a_name_of_the_builder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "Dockerfile").touch()
    builder = BuildxBuilder(Path("/p"), LOCAL)
    assert name in str(builder.refuse(request(tmp_path, args={name: handle("token")})))
    assert builder.refuse(request(tmp_path, args={name: "plain"})) is None


@pytest.mark.parametrize(
    ("target", "variables"),
    [
        (LOCAL, {"DOCKER_HOST": "unix:///run/x.sock"}),
        (Target("a", socket="/s", ssh=Ssh("host", "ana", 22)), {"DOCKER_HOST": "ssh://ana@host:22"}),
        (Target("a", socket="/s", ssh=Ssh("host", None, None)), {"DOCKER_HOST": "ssh://host"}),
        (Target("a", host="h:2375"), {"DOCKER_HOST": "tcp://h:2375"}),
        (
            Target("a", host="h:2376", tls=Tls(Path("/c/ca.pem"), None, None)),
            {"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/c"},
        ),
        (Target("a", host="h:2376", tls=Tls(None, None, None, verify=False)), {"DOCKER_HOST": "tcp://h:2376", "DOCKER_TLS": "1"}),
    ],
)
def test_the_engine_is_passed_in_the_variables_of_the_docker_cli(target: Target, variables: dict[str, str]) -> None:
    assert {name: value for name, value in reach(target).items() if value} == variables


# ------------------------------------------------------------------ where the plugin is
@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    names = {"extra": "extra", "config": "config/cli-plugins", "home": "home/.docker/cli-plugins", "system": "system"}
    made = {name: tmp_path / path for name, path in names.items()}
    for directory in made.values():
        directory.mkdir(parents=True)
        plugin(directory, "true")
    (tmp_path / "config/config.json").write_text(json.dumps({"cliPluginsExtraDirs": [str(made["extra"])]}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return made


def test_the_plugin_is_searched_in_the_directories_of_the_docker_cli(plugins: dict[str, Path]) -> None:
    for directory in plugins.values():
        assert find_plugin((plugins["system"],)) == directory / "docker-buildx"
        (directory / "docker-buildx").unlink()
    assert find_plugin((plugins["system"],)) is None


def test_what_cannot_be_run_is_no_plugin(plugins: dict[str, Path]) -> None:
    (plugins["extra"] / "docker-buildx").chmod(0o644)
    (plugins["config"] / "docker-buildx").unlink()
    (plugins["config"] / "docker-buildx").mkdir()
    assert find_plugin((plugins["system"],)) == plugins["home"] / "docker-buildx"


def test_a_broken_configuration_does_not_hide_the_plugin(plugins: dict[str, Path]) -> None:
    (plugins["config"].parent / "config.json").write_text("{")
    assert find_plugin(()) == plugins["config"] / "docker-buildx"
