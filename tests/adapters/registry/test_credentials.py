import base64
import json
import os
from pathlib import Path

import pytest

from promoter.adapters.registry.credentials import HUB_KEY, Credentials, Login
from promoter.model.errors import RegistryError

HOST = "registry.example.com:5000"
SCRIPT = """echo "$@ $(cat)" > {}/asked; echo '{{"Username":"ana","Secret":"x"}}'"""


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_AUTH_CONFIG", raising=False)


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def write(folder: Path, document: object) -> Credentials:
    (folder / "config.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return Credentials(folder)


def helper(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    path = folder / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_no_configuration_is_anonymous(tmp_path: Path) -> None:
    assert Credentials(tmp_path / "nowhere").for_host(HOST) is None


def test_a_host_that_is_not_named_is_anonymous(tmp_path: Path) -> None:
    assert write(tmp_path, {"auths": {"other.example.com": auth("a:b")}}).for_host(HOST) is None


@pytest.mark.parametrize("key", [HOST, f"https://{HOST}", f"http://{HOST}/v2/", f"{HOST}/acme/shop"])
def test_every_spelling_of_a_host(tmp_path: Path, key: str) -> None:
    assert write(tmp_path, {"auths": {key: auth("ana:se:cret")}}).for_host(HOST) == Login("ana", "se:cret")


def test_the_exact_key_wins(tmp_path: Path) -> None:
    config = write(tmp_path, {"auths": {f"{HOST}/acme": auth("no:no"), HOST: auth("ana:x")}})
    assert config.for_host(HOST) == Login("ana", "x")


def test_user_and_password_written_out(tmp_path: Path) -> None:
    assert write(tmp_path, {"auths": {HOST: {"username": "ana", "password": "x"}}}).for_host(HOST) == Login("ana", "x")


def test_an_identity_token(tmp_path: Path) -> None:
    login = write(tmp_path, {"auths": {HOST: {**auth("ana:"), "identitytoken": "tok"}}}).for_host(HOST)
    assert login == Login("ana", "", "tok")


def test_an_empty_entry_is_anonymous(tmp_path: Path) -> None:
    assert write(tmp_path, {"auths": {HOST: {}}}).for_host(HOST) is None


def test_docker_hub_has_a_key_of_its_own(tmp_path: Path) -> None:
    config = write(tmp_path, {"auths": {HUB_KEY: auth("ana:x"), "docker.io": auth("no:no")}})
    assert config.for_host("docker.io") == Login("ana", "x")


def test_docker_config_names_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"auths": {HOST: auth("ana:x")}})
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    assert Credentials().for_host(HOST) == Login("ana", "x")


def test_the_home_directory_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".docker").mkdir()
    write(tmp_path / ".docker", {"auths": {HOST: auth("ana:x")}})
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Credentials().for_host(HOST) == Login("ana", "x")


def test_the_environment_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps({"auths": {HOST: auth("ci:x")}}))
    config = write(tmp_path, {"auths": {HOST: auth("ana:x"), "other.example.com": auth("ben:y")}})
    assert config.for_host(HOST) == Login("ci", "x")
    assert config.for_host("other.example.com") == Login("ben", "y")


def test_a_helper_is_asked_with_get_and_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "mine", SCRIPT.format(tmp_path))
    config = write(tmp_path, {"credHelpers": {HOST: "mine"}, "credsStore": "absent", "auths": {HOST: auth("no:no")}})
    assert config.for_host(HOST) == Login("ana", "x")
    assert (tmp_path / "asked").read_text() == f"get {HOST}\n"


def test_the_store_serves_all_other_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "store", """echo '{"Username":"<token>","Secret":"tok"}'""")
    config = write(tmp_path, {"credHelpers": {"other.example.com": "absent"}, "credsStore": "store"})
    assert config.for_host(HOST) == Login("", "", "tok")


def test_a_helper_that_knows_nothing_is_anonymous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "mine", "echo credentials not found in native keychain; exit 1")
    assert write(tmp_path, {"credsStore": "mine", "auths": {HOST: auth("no:no")}}).for_host(HOST) is None


def refused(config: Credentials, host: str = HOST) -> str:
    with pytest.raises(RegistryError) as caught:
        config.for_host(host)
    assert caught.value.hint and not caught.value.retryable
    return f"{caught.value.message} | {caught.value.hint}"


def test_a_helper_that_fails_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "mine", "echo the vault is sealed >&2; exit 2")
    text = refused(write(tmp_path, {"credsStore": "mine"}))
    assert "docker-credential-mine" in text and "the vault is sealed" in text and str(tmp_path / "config.json") in text


def test_a_helper_with_invalid_output_is_refused_and_no_secret_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(tmp_path, monkeypatch, "mine", """echo '{"Secret":"hunter2"}'""")
    text = refused(write(tmp_path, {"credsStore": "mine"}))
    assert "something other than credentials" in text and "hunter2" not in text


def test_a_missing_helper_hurts_only_its_own_host(tmp_path: Path) -> None:
    config = write(tmp_path, {"credHelpers": {HOST: "absent"}, "auths": {"other.example.com": auth("ben:y")}})
    assert "docker-credential-absent" in refused(config)
    assert config.for_host("other.example.com") == Login("ben", "y")


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": []}', json.dumps({"auths": {HOST: "x"}}), '{"credsStore": 7}'])
def test_a_broken_file_closes(tmp_path: Path, text: str) -> None:
    assert str(tmp_path / "config.json") in refused(write(tmp_path, text))


@pytest.mark.parametrize("value", ["%%%", base64.b64encode(b"nocolon").decode(), base64.b64encode(b"\xff:x").decode()])
def test_a_broken_entry_closes_for_its_host_alone(tmp_path: Path, value: str) -> None:
    config = write(tmp_path, {"auths": {HOST: {"auth": value}, "other.example.com": auth("ben:y")}})
    assert HOST in refused(config)
    assert config.for_host("other.example.com") == Login("ben", "y")


def test_a_broken_environment_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", "{")
    assert "DOCKER_AUTH_CONFIG" in refused(Credentials(tmp_path))


def test_a_rotated_login_is_seen(tmp_path: Path) -> None:
    config = write(tmp_path, {"auths": {HOST: auth("ana:old")}})
    assert config.for_host(HOST) == Login("ana", "old")
    write(tmp_path, {"auths": {HOST: auth("ana:new")}})
    assert config.for_host(HOST) == Login("ana", "new")


def test_a_login_hides_what_it_holds() -> None:
    text = f"{Login('ana', 'hunter2', 'tok3n')!r} {Login('ana', 'hunter2', 'tok3n')}"
    assert "ana" in text and "hunter2" not in text and "tok3n" not in text
