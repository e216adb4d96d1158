import hashlib
import json
from pathlib import Path

import pytest

from promoter.adapters.engine.address import Ssh, Target, Tls, resolve
from promoter.model.errors import EngineError


@pytest.fixture
def home(tmp_path):
    return {"HOME": str(tmp_path)}


def context(folder: Path, name: str, host: object, *, skip: bool = False) -> Path:
    identifier = hashlib.sha256(name.encode()).hexdigest()
    directory = folder / "contexts" / "meta" / identifier
    directory.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": skip}} if host is not None else {}
    (directory / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": endpoints}))
    return folder / "contexts" / "tls" / identifier / "docker"


def certificates(folder: Path) -> Tls:
    folder.mkdir(parents=True)
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (folder / name).touch()
    return Tls(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("unix:///run/x.sock", Target("unix:///run/x.sock", socket="/run/x.sock")),
        ("unix://run/x.sock", Target("unix://run/x.sock", socket="/run/x.sock")),
        ("tcp://h:2375", Target("tcp://h:2375", host="h:2375")),
        ("tcp://h", Target("tcp://h", host="h:2375")),
        ("tcp://[::1]:9", Target("tcp://[::1]:9", host="[::1]:9")),
        ("https://h", Target("https://h", host="h:2376", tls=Tls(None, None, None))),
        ("ssh://u@h", Target("ssh://u@h", socket="/var/run/docker.sock", ssh=Ssh("h", "u", None))),
        ("ssh://Alias:22/x.sock", Target("ssh://Alias:22/x.sock", socket="/x.sock", ssh=Ssh("Alias", None, 22))),
    ],
)
def test_an_address_becomes_a_target(address, expected, home):
    assert resolve(address, home) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "x",
        "unix://",
        "tcp://",
        "tcp://h:port",
        "npipe:////./pipe/docker",
        "ssh://",
        "ssh://u:pw@h",
        "ssh://-oProxyCommand=x/",
        "context:",
    ],
)
def test_an_invalid_address_raises_with_a_hint(address, home):
    with pytest.raises(EngineError) as caught:
        resolve(address, home)
    assert caught.value.hint and "pw" not in caught.value.message


def test_tls_comes_from_the_environment(home, tmp_path):
    tls = certificates(tmp_path / "certs")
    environ = {**home, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path / "certs")}
    assert resolve("tcp://h", environ) == Target("tcp://h", host="h:2376", tls=tls)
    (tmp_path / "certs" / "key.pem").unlink()
    with pytest.raises(EngineError, match=r"both cert\.pem and key\.pem"):
        resolve("tcp://h", environ)


def test_the_default_is_the_docker_clis(home, tmp_path):
    folder = tmp_path / ".docker"
    context(folder, "one", "unix:///one.sock")
    context(folder, "two", "unix:///two.sock")
    assert resolve(None, home).socket == "/var/run/docker.sock"
    (folder / "config.json").write_text('{"currentContext": "one"}')
    assert resolve(None, home) == Target("context:one", socket="/one.sock")
    assert resolve(None, {**home, "DOCKER_CONTEXT": "two"}).socket == "/two.sock"
    assert resolve(None, {**home, "DOCKER_CONTEXT": "default"}).socket == "/var/run/docker.sock"
    assert resolve(None, {**home, "DOCKER_CONTEXT": "two", "DOCKER_HOST": "unix:///h.sock"}).socket == "/h.sock"


def test_a_context_is_found_without_a_config_file(home, tmp_path):
    context(tmp_path / "elsewhere", "prod", "ssh://ana@h")
    environ = {**home, "DOCKER_CONFIG": str(tmp_path / "elsewhere")}
    assert resolve("context:prod", environ) == Target("context:prod", socket="/var/run/docker.sock", ssh=Ssh("h", "ana", None))


def test_a_context_brings_its_own_tls_and_not_the_environments(home, tmp_path):
    tls = certificates(context(tmp_path / ".docker", "tls", "tcp://h:1"))
    context(tmp_path / ".docker", "plain", "tcp://h:1")
    context(tmp_path / ".docker", "trusting", "tcp://h:1", skip=True)
    environ = {**home, "DOCKER_TLS_VERIFY": "1"}
    assert resolve("context:tls", environ).tls == tls
    assert resolve("context:plain", environ).tls is None
    assert resolve("context:trusting", environ).tls == Tls(None, None, None, verify=False)


@pytest.mark.parametrize("environ", [{"DOCKER_CONTEXT": "missing"}, {}])
def test_a_missing_context_is_never_the_local_engine(environ, home):
    with pytest.raises(EngineError, match="there is no docker context 'missing'"):
        resolve(None if environ else "context:missing", {**home, **environ})


@pytest.mark.parametrize("text", ["{", "[]", '{"Endpoints": {}}', '{"Endpoints": {"docker": {}}}', '{"Endpoints": []}'])
def test_a_broken_context_is_never_the_local_engine(text, home, tmp_path):
    context(tmp_path / ".docker", "bad", None)
    next((tmp_path / ".docker").rglob("meta.json")).write_text(text)
    with pytest.raises(EngineError, match="'bad' names no engine that can be used"):
        resolve("context:bad", home)


def test_a_broken_config_is_never_the_local_engine(home, tmp_path):
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text("{")
    with pytest.raises(EngineError, match="current docker context is unknown"):
        resolve(None, home)
    assert resolve(None, {**home, "DOCKER_HOST": "unix:///h.sock"}).socket == "/h.sock"
