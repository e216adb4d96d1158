"""Images copied between two real registries, one of which requires a password: layers of several MB, byte for byte."""

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.credentials import Credentials
from promoter.adapters.registry.manifest import digest_of
from promoter.model.errors import RegistryError
from promoter.model.images import ImageRef, Repository
from tests.contracts.registry import CONFIG, INDEX_KIND, MANIFEST_KIND, index
from tests.live.locked import PASSWORD, Locked, config, served
from tests.live.registry_proxy import Proxy, cut, in_front_of, other_bytes, respond

MB = 1024 * 1024
LAYERS = tuple(random.Random(seed).randbytes(size) for seed, size in enumerate((5 * MB + 1, 9 * MB, 17, 0)))
PROMPT = 30.0
"""Seconds: much longer than a copy takes, much shorter than the retries of a copy that fails."""


@pytest.fixture
def locked(program: str, free_port: Callable[[], int], tmp_path: Path) -> Iterator[Locked]:
    with served(program, f"127.0.0.1:{free_port()}", tmp_path) as registry:
        yield registry


@pytest.fixture
def source(registry_host: str, unique: str) -> Repository:
    """Return a repository in the registry without a password."""
    return Repository(registry_host, f"{unique}/here")


@pytest.fixture
def target(locked: Locked, unique: str) -> Repository:
    """Return a repository in the registry that requires a password."""
    return Repository(locked.host, f"{unique}/there")


@pytest.fixture
def registry(locked: Locked, tmp_path: Path) -> Iterator[HttpRegistry]:
    made = HttpRegistry(config(tmp_path, locked.host), sleep=lambda _: None)
    yield made
    made.close()


@pytest.fixture
def proxy(registry_host: str) -> Iterator[Proxy]:
    with in_front_of(registry_host) as made:
        yield made


# ---------------------------------------------------------------- the images
def blob(repository: Repository, content: bytes, login: tuple[str, str] | None) -> dict[str, object]:
    with requests.Session() as session:
        session.auth = login
        started = session.post(f"http://{repository.host}/v2/{repository.path}/blobs/uploads/", timeout=10)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        session.put(started.headers["Location"], params={"digest": digest}, data=content, timeout=10).raise_for_status()
    return {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": len(content)}


def put(repository: Repository, tag: str, body: bytes, kind: str, login: tuple[str, str] | None) -> ImageRef:
    url = f"http://{repository.host}/v2/{repository.path}/manifests/{tag}"
    requests.put(url, data=body, headers={"Content-Type": kind}, auth=login, timeout=10).raise_for_status()
    return ImageRef(repository, digest_of(body))


def push(repository: Repository, layers: tuple[bytes, ...] = LAYERS, login: tuple[str, str] | None = None) -> ImageRef:
    """Push an image of these layers, below an index."""
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_KIND,
        "config": blob(repository, CONFIG, login) | {"mediaType": "application/vnd.oci.image.config.v1+json"},
        "layers": [blob(repository, layer, login) for layer in layers],
    }
    body = json.dumps(document).encode()
    child = put(repository, "child", body, MANIFEST_KIND, login)
    return put(repository, "v1", index(child.digest, len(body)), INDEX_KIND, login)


def held(repository: Repository, layers: tuple[bytes, ...], login: tuple[str, str] | None) -> bool:
    """Return whether a registry returns each of the layers, byte for byte."""
    for layer in layers:
        url = f"http://{repository.host}/v2/{repository.path}/blobs/sha256:{hashlib.sha256(layer).hexdigest()}"
        if requests.get(url, auth=login, timeout=10).content != layer:
            return False
    return True


# ---------------------------------------------------------------- the copy
@pytest.mark.parametrize("way", ["to the one with a password", "from the one with a password"])
def test_an_image_of_several_mb_goes_from_one_registry_to_another(
    registry: HttpRegistry, source: Repository, target: Repository, way: str
) -> None:
    login, other = (None, PASSWORD) if way.startswith("to") else (PASSWORD, None)
    if way.startswith("from"):
        source, target = target, source
    image, started = push(source, login=login), time.monotonic()
    registry.copy(image, target)
    assert time.monotonic() - started < PROMPT
    assert held(target, LAYERS, other)
    assert registry.manifest(ImageRef(target, image.digest)) is not None


def test_an_image_goes_from_one_repository_to_another_of_the_same_registry(registry: HttpRegistry, source: Repository) -> None:
    target = Repository(source.host, f"{source.path}-too")
    registry.copy(push(source), target)
    assert held(target, LAYERS, None)


def test_a_registry_that_refuses_the_password_is_asked_once(source: Repository, target: Repository, tmp_path: Path) -> None:
    waits: list[float] = []
    registry = HttpRegistry(Credentials(tmp_path / "none"), sleep=waits.append)
    with pytest.raises(RegistryError, match=f"{target.host} wants credentials") as error:
        registry.copy(push(source, ()), target)
    assert (error.value.retryable, waits) == (False, [])
    registry.close()


# ---------------------------------------------------------------- a source that misbehaves
def through(proxy: Proxy, image: ImageRef) -> ImageRef:
    return ImageRef(Repository(proxy.host, image.repository.path), image.digest)


def test_a_layer_that_breaks_off_is_copied_again(
    registry: HttpRegistry, source: Repository, target: Repository, proxy: Proxy
) -> None:
    rule = proxy.misbehave("GET .*/blobs/", cut(MB), times=1)
    registry.copy(through(proxy, push(source)), target)
    assert rule.hits == 1
    assert held(target, LAYERS, PASSWORD)


def test_a_source_that_always_breaks_off_is_the_one_that_is_named(
    registry: HttpRegistry, source: Repository, target: Repository, proxy: Proxy
) -> None:
    proxy.misbehave("GET .*/blobs/", cut(MB))
    with pytest.raises(RegistryError, match=f"registry {proxy.host} cut off its answer") as error:
        registry.copy(through(proxy, push(source, LAYERS[:2])), target)
    assert error.value.retryable


def test_a_source_that_sends_too_few_bytes_is_named_in_the_error(
    registry: HttpRegistry, source: Repository, target: Repository, proxy: Proxy
) -> None:
    proxy.misbehave("GET .*/blobs/", respond(200, b"short"))
    with pytest.raises(RegistryError, match=f"registry {proxy.host} sends 5 bytes of sha256:.*, expected {len(CONFIG)}"):
        registry.copy(through(proxy, push(source, LAYERS[:1])), target)


def test_other_bytes_never_arrive_under_a_digest(
    registry: HttpRegistry, source: Repository, target: Repository, proxy: Proxy
) -> None:
    proxy.misbehave("GET .*/blobs/", other_bytes)
    image = through(proxy, push(source, LAYERS[:1]))
    with pytest.raises(RegistryError, match="digest"):
        registry.copy(image, target)
    assert registry.manifest(ImageRef(target, image.digest)) is None
