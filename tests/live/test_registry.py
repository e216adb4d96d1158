"""The Registry contract on a real registry, with and without a password, and a registry that goes away."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.credentials import Credentials
from promoter.model.errors import RegistryError
from promoter.model.images import Digest, ImageRef, Reference, Repository
from tests.contracts.registry import CONFIG, CONFIG_DIGEST, MANIFEST_KIND, RegistryContract, manifest
from tests.live.locked import PASSWORD, Locked, config, served


@dataclass
class RealRegistrySite:
    registry: HttpRegistry
    repository: Repository
    login: tuple[str, str] | None = None

    def put(self, repository: Repository, tag: str, body: bytes, kind: str) -> Digest:
        base = f"http://{repository.host}/v2/{repository.path}"
        with requests.Session() as session:
            session.auth = self.login
            started = session.post(f"{base}/blobs/uploads/", timeout=10)
            started.raise_for_status()
            session.put(
                started.headers["Location"], params={"digest": str(CONFIG_DIGEST)}, data=CONFIG, timeout=10
            ).raise_for_status()
            answer = session.put(f"{base}/manifests/{tag}", data=body, headers={"Content-Type": kind}, timeout=10)
            answer.raise_for_status()
        return Digest.parse(answer.headers["Docker-Content-Digest"])


def repository(host: str) -> Repository:
    return Repository(host, f"t{uuid4().hex[:10]}/app")


class TestOpenRegistry(RegistryContract):
    @pytest.fixture
    def site(self, registry_host: str, tmp_path: Path) -> Iterator[RealRegistrySite]:
        registry = HttpRegistry(Credentials(tmp_path))
        yield RealRegistrySite(registry, repository(registry_host))
        registry.close()


@pytest.fixture
def locked(program: str, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Locked]:
    with served(program, f"127.0.0.1:{free_port()}", tmp_path) as registry:
        yield registry


@pytest.fixture
def encrypted(program: str, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Locked]:
    """The same registry with TLS, with a self-signed certificate."""
    words = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=registry -keyout key.pem -out cert.pem"
    )
    subprocess.run(["openssl", *words.split()], cwd=tmp_path, check=True, capture_output=True)
    tls = f", tls: {{certificate: {tmp_path}/cert.pem, key: {tmp_path}/key.pem}}"
    with served(program, f"127.0.0.1:{free_port()}", tmp_path, tls) as registry:
        yield registry


class TestLockedRegistry:
    def test_the_right_password_opens_everything(self, locked: Locked, tmp_path: Path) -> None:
        site = RealRegistrySite(HttpRegistry(config(tmp_path, locked.host)), repository(locked.host), PASSWORD)
        digest = site.put(site.repository, "v1", manifest(), MANIFEST_KIND)
        site.registry.ping(locked.host)
        assert site.registry.resolve(Reference(site.repository, "v1")) == digest
        site.registry.tag(ImageRef(site.repository, digest), "prod")
        assert site.registry.resolve(Reference(site.repository, "prod")) == digest
        site.registry.close()

    def test_a_wrong_one_is_refused(self, locked: Locked, tmp_path: Path) -> None:
        registry = HttpRegistry(config(tmp_path, locked.host, "wrong"))
        for call in (lambda: registry.ping(locked.host), lambda: registry.resolve(Reference(repository(locked.host)))):
            with pytest.raises(RegistryError, match=f"{locked.host} refuses the credentials") as caught:
                call()
            assert not caught.value.retryable
        registry.close()

    def test_a_missing_login_gives_the_hint_to_log_in(self, locked: Locked, tmp_path: Path) -> None:
        registry = HttpRegistry(Credentials(tmp_path))
        with pytest.raises(RegistryError, match="there are none") as caught:
            registry.ping(locked.host)
        assert caught.value.hint == f"run docker login {locked.host}"
        registry.close()

    def test_a_registry_that_goes_away_under_a_kept_connection(self, locked: Locked, tmp_path: Path) -> None:
        waits: list[float] = []
        registry = HttpRegistry(config(tmp_path, locked.host), sleep=waits.append)
        registry.ping(locked.host)
        locked.process.terminate()
        locked.process.wait()
        with pytest.raises(RegistryError, match=f"{locked.host} cannot be reached") as caught:
            registry.ping(locked.host)
        assert caught.value.retryable and caught.value.hint and len(waits) == 3
        registry.close()

    def test_a_registry_behind_tls_on_loopback_is_found_out(self, encrypted: Locked, tmp_path: Path) -> None:
        registry = HttpRegistry(config(tmp_path, encrypted.host), sleep=lambda _: None)
        registry.ping(encrypted.host)
        with pytest.raises(RegistryError, match="does not have"):
            registry.resolve(Reference(repository(encrypted.host)))
        registry.close()
