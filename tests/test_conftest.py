"""The fixtures do what they promise."""

import json
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from parts import sweep as sweeping
from parts.sweep import labelled, sweep
from parts.talk import connection

from tests.conftest import in_turn, pytest_collection_modifyitems, spread


def test_ports_are_free_and_differ(free_port: Callable[[], int]) -> None:
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", ports[0]))
        server.listen()
        again = [free_port() for _ in range(140)]
    assert ports[0] not in again


def test_the_cleanup_removes_only_objects_with_the_label(engine_url: str, unique: str) -> None:
    for name in (unique, f"{unique}x"):
        body = {"Name": name, "Labels": {"dev.promoter.pipeline": name}}
        for kind in ("networks", "volumes"):
            talk = connection(engine_url)
            talk.request("POST", f"/{kind}/create", json.dumps(body), {"Content-Type": "application/json"})
            assert talk.getresponse().status == 201
            talk.close()
    sweep(engine_url, unique)
    assert [len(labelled(engine_url, kind, unique)) for kind in ("networks", "volumes")] == [0, 0]
    assert [len(labelled(engine_url, kind, f"{unique}x")) for kind in ("networks", "volumes")] == [1, 1]
    sweep(engine_url, f"{unique}x")


@pytest.mark.parametrize("refusals", [1, 3])
def test_the_cleanup_waits_for_an_engine_that_still_has_endpoints(monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
    """An engine under load removes the endpoint of a removed container later, and refuses to remove the network until then."""
    asked: list[str] = []

    def answer(_engine: str, method: str, path: str, _content: object = None) -> tuple[int, bytes]:
        asked.append(f"{method} {path.partition('?')[0]}")
        if method == "GET" and path.startswith("/networks?"):
            return 200, b'[{"Id": "n1", "Name": "dev", "Scope": "local"}]'
        if method == "GET" and path == "/networks/n1":
            return 200, b'{"Containers": {"ep-1": {"Name": "gone"}}}'
        refused = method == "DELETE" and asked.count("DELETE /networks/n1") <= refusals
        return (403, b'{"message": "has active endpoints"}') if refused else (200, b"{}")

    monkeypatch.setattr(sweeping, "_answer", answer)
    sweep("unix:///nothing.sock", "shop")
    assert asked.count("DELETE /networks/n1") == asked.count("POST /networks/n1/disconnect") == refusals + 1


def test_the_cleanup_asks_again_if_the_engine_does_not_remove_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def answer(_engine: str, method: str, path: str, _content: object = None) -> tuple[int, bytes]:
        if method == "DELETE":
            tries.append(path)
            return (500, b'{"message": "did not receive an exit event"}') if len(tries) < 3 else (204, b"")
        return 200, b'[{"Id": "c1"}]' if path.startswith("/containers") and len(tries) < 3 else b"{}"

    monkeypatch.setattr(sweeping, "_answer", answer)
    sweep("unix:///nothing.sock", "shop")
    assert len(tries) == 3


def test_each_worker_begins_with_its_share_of_the_slow_tests() -> None:
    assert spread(["S", "T", "U"], list("abcdef"), 2) == ["S", "U", "a", "b", "c", "T", "d", "e", "f"]
    assert spread(["S"], list("abc"), 1) == ["S", "a", "b", "c"]


def test_tests_that_use_the_same_thing_are_of_one_worker() -> None:
    ordered = in_turn(list("aXbcYde"), str.isupper, 3)
    assert [ordered[n::3] for n in range(3)] == [["X", "Y", "e"], ["a", "c"], ["b", "d"]]
    assert sorted(in_turn(list("aXb"), str.isupper, 1)) == ["X", "a", "b"]
    assert in_turn([], str.isupper, 2) == []


def test_a_test_has_its_marks_before_another_hook_selects_by_them() -> None:
    marks: list[str] = []
    item: Any = SimpleNamespace(fixturenames=("lab", "cli"), add_marker=marks.append, get_closest_marker=lambda _: None)
    hook: Any = pytest_collection_modifyitems
    assert hook.pytest_impl["wrapper"] and hook.pytest_impl["tryfirst"]
    rest = hook([item])
    next(rest)
    assert marks == ["lab", "process"]
    rest.close()
