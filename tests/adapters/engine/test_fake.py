import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from promoter.model.errors import StartError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.pipeline.compose.service import Healthcheck, Service
from promoter.promotion.ports.container import ContainerSpec, ListeningPort
from tests.contracts.engine import EngineContract
from tests.fakes.engine import Behaviour, FakeEngine
from tests.fakes.secrets import FakeSecrets

REPOSITORY = Repository.parse("127.0.0.1:5000/fake")


class FakeSite:
    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.prefix = f"t{uuid4().hex[:8]}"

    def image(self, behaviour: Behaviour) -> ImageRef:
        image = ImageRef(REPOSITORY, Digest(hashlib.sha256(repr(behaviour).encode()).hexdigest()))
        self.engine.behave(image.digest, behaviour)
        self.engine.offer(image)
        self.engine.hold(image)
        return image

    @contextmanager
    def listener(self, address: str, port: int) -> Iterator[None]:
        self.engine.listening = [ListeningPort(f"python (process {os.getpid()})", {}, address, port)]
        yield
        self.engine.listening = []

    def built(self) -> tuple[Repository, str]:
        self.engine.tag(REPOSITORY, "v1", Digest("a" * 64))
        return REPOSITORY, "v1"


@pytest.fixture
def site():
    return FakeSite()


class TestFake(EngineContract):
    pass


def test_a_call_can_be_made_to_fail_once(site):
    spec = ContainerSpec("one", site.image(Behaviour()), Service(), {})
    container = site.engine.create(spec, FakeSecrets())
    site.engine.fail("start", StartError("port taken"))
    with pytest.raises(StartError, match="port taken"):
        site.engine.start(container)
    site.engine.start(container)
    assert site.engine.verbs("start", "create") == [("create", "one"), ("start", "one"), ("start", "one")]


def test_health_can_pass_after_some_probes(site):
    service = Service(healthcheck=Healthcheck(test=("CMD", "probe")))
    container = site.engine.create(ContainerSpec("one", site.image(Behaviour(failing_probes=2)), service, {}), FakeSecrets())
    site.engine.start(container)
    codes = [site.engine.exec(container, ("probe",), 1).exit_code for _ in range(3)]
    assert codes == [1, 1, 0]


def test_waiting_costs_the_clock_what_it_lasts():
    spent = []
    site = FakeSite()
    site.engine = FakeEngine(sleep=spent.append)
    container = site.engine.create(ContainerSpec("one", site.image(Behaviour()), Service(), {}), FakeSecrets())
    site.engine.start(container)
    assert site.engine.wait(container, 1.5) is None and spent == [1.5]
