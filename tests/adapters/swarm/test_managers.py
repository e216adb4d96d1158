"""Requests go to a manager that answers; what a manager refuses is not asked elsewhere."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from docker.errors import APIError

from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.swarm.managers import ELECTION, Managers
from promoter.model.errors import EngineError, Interrupted, StartError


class Manager:
    """A manager that raises these errors, one at each request, and then answers with its address."""

    def __init__(self, address: str, *errors: EngineError) -> None:
        self.address, self.errors, self.asked = address, list(errors), 0

    def ask(self, *_: object, **__: object) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.address


def caused(error: EngineError, cause: BaseException) -> EngineError:
    error.__cause__ = cause
    return error


def unreachable() -> EngineError:
    return caused(EngineError("connection refused"), ConnectionRefusedError())


def answer(text: str) -> EngineError:
    return caused(EngineError(text), APIError(text))


def managers(*stubs: Manager, check: Callable[[], None] = lambda: None) -> tuple[Managers, list[float]]:
    sleeps: list[float] = []
    engines = cast("list[DockerEngine]", list(stubs))
    return Managers(engines, sleeps.append, check), sleeps


def asked(found: Managers) -> Any:
    return found.ask("services could not be listed", "GET", "/services")


@pytest.mark.parametrize(
    "error",
    [
        unreachable(),
        answer("rpc error: code = Unavailable desc = error reading from server"),
        answer("The swarm does not have a leader."),
        answer("rpc error: code = Unknown desc = context deadline exceeded"),
        EngineError("unix:///b is not a manager of a swarm: it is a worker"),
    ],
)
def test_the_next_manager_is_asked_and_kept(error: EngineError) -> None:
    first, second = Manager("a", error), Manager("b")
    found, sleeps = managers(first, second)
    assert asked(found) == "b"
    assert asked(found) == "b"
    assert (first.asked, second.asked, sleeps) == (1, 2, [])


@pytest.mark.parametrize("error", [answer("no such network"), StartError("network a is not ours")])
def test_what_a_manager_refuses_is_refused_at_once(error: EngineError) -> None:
    first, second = Manager("a", error), Manager("b")
    found, _ = managers(first, second)
    with pytest.raises(EngineError) as caught:
        asked(found)
    assert (caught.value, second.asked) == (error, 0)


def test_managers_that_were_never_reached_are_not_waited_for() -> None:
    found, sleeps = managers(Manager("a", unreachable()), Manager("b", unreachable()))
    with pytest.raises(EngineError, match=r"no manager of the swarm answers \(a, b\)") as caught:
        asked(found)
    assert (sleeps, caught.value.lost) == ([], False)


def test_an_election_is_waited_for() -> None:
    one = Manager("a")
    found, sleeps = managers(one)
    assert asked(found) == "a"
    one.errors = [unreachable(), answer("The swarm does not have a leader.")]
    assert asked(found) == "a"
    assert len(sleeps) == 2


def test_a_swarm_that_does_not_come_back_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    one, times = Manager("a"), iter([0.0, 1.0, ELECTION])
    found, _ = managers(one)
    asked(found)
    one.errors = [unreachable(), unreachable()]
    monkeypatch.setattr("promoter.adapters.swarm.managers.time.monotonic", lambda: next(times))
    with pytest.raises(EngineError, match="connection refused") as caught:
        asked(found)
    assert caught.value.lost


def test_a_signal_ends_the_wait() -> None:
    def interrupted() -> None:
        raise Interrupted

    one = Manager("a")
    found, _ = managers(one, check=interrupted)
    asked(found)
    one.errors = [unreachable()]
    with pytest.raises(Interrupted):
        asked(found)
