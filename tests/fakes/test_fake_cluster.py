"""The Cluster contract on the fake."""

import hashlib

import pytest

from promoter.model.errors import EngineError, StartError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.pipeline.compose.deploy import Deploy
from tests.contracts.cluster import RUNS, ClusterContract, labels_of
from tests.fakes.cluster import NODES, FakeCluster
from tests.fakes.engine import Behaviour
from tests.fakes.secrets import FakeSecrets


class FakeSite:
    prefix = "t1"
    nodes = NODES

    def __init__(self) -> None:
        self.cluster = FakeCluster()

    def image(self, behaviour: Behaviour) -> ImageRef:
        made = ImageRef(
            Repository("registry.example.com", "t1/app"), Digest(hashlib.sha256(repr(behaviour).encode()).hexdigest())
        )
        self.cluster.offer(made)
        self.cluster.behave(made.digest, behaviour)
        return made

    def version(self, name: str) -> int:
        return self.cluster.unit(name).version

    def use_by_hand(self, name: str, image: ImageRef) -> None:
        self.cluster.meddle(name, image)

    def alone(self, node: str) -> FakeCluster:
        self.cluster.managers = {node}
        return self.cluster

    def pause(self) -> None:
        """Do nothing: each look is a step."""


@pytest.fixture
def site() -> FakeSite:
    return FakeSite()


class TestFakeCluster(ClusterContract):
    """What only the fake can show: faults at a moment that a test chooses."""

    def test_a_lost_node_has_its_tasks_moved_or_left_waiting(self, site, make):
        spec = make(deploy=Deploy(replicas=3, placement={"max_replicas_per_node": 1}))
        self.running(site, spec)
        site.cluster.lose("node-2")
        seen = self.until(site, spec.name, lambda one: any(task.state == "pending" for task in one.tasks))
        assert (seen.running, seen.wanted) == (2, 3)
        assert "no suitable node" in site.cluster.inspect(spec.name).shortfall
        other = make(deploy=Deploy(replicas=3))
        assert {task.node for task in self.running(site, other).tasks} == {"node-1", "node-3"}

    def test_a_call_fails_when_it_is_asked_to(self, site, make):
        spec, error = make(), StartError("port taken")
        site.cluster.fail("apply", error, 2)
        identifier = site.cluster.apply(spec, FakeSecrets())
        with pytest.raises(StartError, match="port taken"):
            site.cluster.apply(spec, FakeSecrets())
        assert site.cluster.apply(spec, FakeSecrets()) == identifier
        site.cluster.fail("*", error, after=True)
        with pytest.raises(StartError):
            site.cluster.remove(spec.name)
        assert site.cluster.service(spec.name) is None
        assert [verb for verb, *_ in site.cluster.calls] == ["apply", "apply", "apply", "remove"]

    def test_a_cut_connection_reaches_nothing(self, site, make):
        site.cluster.cut = True
        with pytest.raises(EngineError) as caught:
            site.cluster.find(labels_of(site))
        assert caught.value.lost
        site.cluster.cut = False
        assert self.running(site, make(RUNS)).running == 1
