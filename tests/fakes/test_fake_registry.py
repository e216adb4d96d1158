import pytest

from promoter.model.errors import RegistryError
from promoter.model.images import Digest, ImageRef, Reference, Repository
from tests.contracts.registry import RegistryContract
from tests.fakes.registry import FakeRegistry


class FakeRegistrySite:
    def __init__(self) -> None:
        self.registry = FakeRegistry()
        self.repository = Repository.parse("127.0.0.1:5000/fake")

    def put(self, repository: Repository, tag: str, body: bytes, kind: str) -> Digest:
        return self.registry.put(repository, tag, body, kind)


@pytest.fixture
def site() -> FakeRegistrySite:
    return FakeRegistrySite()


class TestFakeRegistry(RegistryContract):
    pass


def test_an_image_is_offered_without_bytes(site: FakeRegistrySite) -> None:
    image = ImageRef(site.repository, Digest("a" * 64))
    site.registry.offer(image, "v1")
    assert site.registry.resolve(Reference(site.repository, "v1")) == image.digest


def test_a_failure_comes_once(site: FakeRegistrySite) -> None:
    site.registry.fail("ping", RegistryError("down"))
    with pytest.raises(RegistryError, match="down"):
        site.registry.ping("x")
    site.registry.ping("x")
    assert site.registry.calls == [("ping", "x")] * 2
