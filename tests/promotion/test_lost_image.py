import pytest

from promoter.model.errors import PullError, StartError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.pipeline.compose.service import Service
from promoter.promotion.lost_image import create
from promoter.promotion.ports.container import ContainerSpec
from tests.fakes.engine import FakeEngine
from tests.fakes.secrets import FakeSecrets

IMAGE = ImageRef(Repository("registry.example.com", "shop/web"), Digest("a" * 64))
SPEC = ContainerSpec("web", IMAGE, Service(image="x"), {})


def test_an_image_that_the_engine_lost_is_pulled_again() -> None:
    engine = FakeEngine()
    engine.offer(IMAGE)
    assert create(engine, SPEC, FakeSecrets()) == engine.box("web").id
    assert [verb for verb, *_ in engine.calls] == ["create", "pull", "create"]


def test_an_image_that_the_engine_has_is_not_pulled() -> None:
    engine = FakeEngine()
    engine.hold(IMAGE)
    create(engine, SPEC, FakeSecrets())
    with pytest.raises(StartError, match="already in use"):
        create(engine, SPEC, FakeSecrets())
    assert not engine.verbs("pull")


def test_an_image_that_the_registry_lost_too_is_reported() -> None:
    with pytest.raises(PullError, match="manifest unknown"):
        create(FakeEngine(), SPEC, FakeSecrets())
