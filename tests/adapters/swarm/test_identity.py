"""Which engines are managers of a swarm, and which are refused with the reason."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.swarm.identity import swarm_of
from promoter.model.errors import EngineError

MANAGER = {"LocalNodeState": "active", "ControlAvailable": True, "NodeID": "n1", "Cluster": {"ID": "c1"}}


def engine(swarm: dict[str, Any], api: tuple[int, int] = (1, 41)) -> DockerEngine:
    answer = SimpleNamespace(json=lambda: {"Swarm": swarm})
    stub = SimpleNamespace(address="unix:///a", ask=lambda *_: answer, client=lambda: SimpleNamespace(api=api))
    return cast("DockerEngine", stub)


def test_a_manager_knows_its_swarm() -> None:
    assert swarm_of(engine(MANAGER)) == MANAGER


@pytest.mark.parametrize(
    ("swarm", "reason"),
    [
        ({"LocalNodeState": "inactive"}, "unix:///a is not a manager of a swarm: it is not part of a swarm"),
        ({}, "unix:///a is not a manager of a swarm: it is not part of a swarm"),
        ({**MANAGER, "ControlAvailable": False}, "unix:///a is not a manager of a swarm: it is a worker"),
        ({**MANAGER, "Cluster": {"ID": ""}}, "the swarm of unix:///a does not have a leader"),
        ({**MANAGER, "Cluster": None}, "the swarm of unix:///a does not have a leader"),
    ],
)
def test_another_engine_is_refused(swarm: dict[str, Any], reason: str) -> None:
    with pytest.raises(EngineError) as caught:
        swarm_of(engine(swarm))
    assert caught.value.message == reason
    assert caught.value.hint


def test_an_engine_without_jobs_is_too_old() -> None:
    with pytest.raises(EngineError, match="too old"):
        swarm_of(engine(MANAGER, (1, 40)))
