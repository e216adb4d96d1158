import pytest

from promoter.model.errors import RegistryError
from promoter.model.images import Digest, ImageRef, Reference, Repository
from tests.contracts.registry import RegistryContract
from tests.fakes.registry import FakeRegistry


class FakeShelf:
    def __init__(self) -> None:
        self.registry = FakeRegistry()
        self.repository = Repository.parse("127.0.0.1:5000/fake")

    def put(self, repository: Repository, tag: str, body: bytes, kind: str) -> Digest:
        return self.registry.put(repository, tag, body, kind)


@pytest.fixture
def shelf() -> FakeShelf:
    return FakeShelf()


class TestFakeRegistry(RegistryContract):
    pass


def test_an_image_is_offered_without_bytes(shelf: FakeShelf) -> None:
    image = ImageRef(shelf.repository, Digest("a" * 64))
    shelf.registry.offer(image, "v1")
    assert shelf.registry.resolve(Reference(shelf.repository, "v1")) == image.digest


def test_a_failure_comes_once(shelf: FakeShelf) -> None:
    shelf.registry.fail("ping", RegistryError("down"))
    with pytest.raises(RegistryError, match="down"):
        shelf.registry.ping("x")
    shelf.registry.ping("x")
    assert shelf.registry.calls == [("ping", "x")] * 2
