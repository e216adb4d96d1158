"""Services, tasks and nodes as the engine shows them, and what promoter reads in them."""

from typing import Any

from promoter.adapters.swarm import view
from promoter.model.labels import LABEL, ROLE
from promoter.promotion.ports.cluster import ClusterService

Json = dict[str, Any]
NODES = {"n1": view.Node("node-1", lost=False), "n2": view.Node("node-2", lost=True)}


def task(
    number: int, state: str, *, wanted: str = "running", node: str = "n1", created: str = "1", **status: Any
) -> dict[str, Any]:
    return {
        "ID": f"t{number}{created}",
        "Slot": number,
        "NodeID": node,
        "CreatedAt": created,
        "DesiredState": wanted,
        "Status": {"State": state, **status},
        "Spec": {"ContainerSpec": {"Labels": {f"{LABEL}.promotion": "p1"}}},
    }


def document(*, role: str = "live", wanted: int = 2, **more: Any) -> dict[str, Any]:
    spec = {
        "Name": "shop-prod-web",
        "Labels": {ROLE: role},
        "Mode": {"Replicated": {"Replicas": 2}},
        "TaskTemplate": {"ContainerSpec": {}},
    }
    return {"ID": "s1", "Spec": spec, "ServiceStatus": {"DesiredTasks": wanted, "RunningTasks": 2}, **more}


def seen(one: dict[str, Any], *tasks: dict[str, Any]) -> ClusterService:
    return view.service(one, tasks, NODES)


def test_tasks_are_in_order_with_the_newest_try_last() -> None:
    found = seen(
        document(), task(2, "running", created="2"), task(1, "running"), task(2, "failed", wanted="shutdown", Err=" no space ")
    )
    assert [(one.name, one.state, one.wanted) for one in found.tasks] == [
        ("shop-prod-web.1", "running", True),
        ("shop-prod-web.2", "failed", False),
        ("shop-prod-web.2", "running", True),
    ]
    assert found.tasks[1].sentence == "shop-prod-web.2 on node-1 failed: no space"
    assert found.replicas == 2


def test_a_task_on_a_lost_node_is_marked() -> None:
    found = seen(document(), task(1, "running", node="n2", wanted="shutdown"), task(1, "pending", node="", created="2"))
    assert [(one.node, one.lost) for one in found.tasks] == [("node-2", True), ("", False)]


def test_a_task_that_was_running_on_a_lost_node_does_not_run() -> None:
    one = document()
    found = seen(one, task(1, "running"), task(2, "running", node="n2"))
    assert (found.wanted, found.running) == (2, 1)
    assert view.container(found, one).shortfall == "1 of 2 tasks run"


def test_missing_tasks_are_shown_with_the_newest_reason() -> None:
    one = document()
    old = task(2, "failed", wanted="shutdown", Err="exit 1")
    found = seen(one, task(1, "running"), old, task(2, "pending", created="2", node="", Err="no suitable node"))
    shown = view.container(found, one)
    assert (shown.status, shown.running) == ("degraded", False)
    assert shown.shortfall == "1 of 2 tasks run; shop-prod-web.2 is pending: no suitable node"


def test_a_job_is_a_container_that_ends() -> None:
    one = document(role="job", wanted=1)
    ended = task(1, "failed", wanted="shutdown", Err="task: non-zero exit (3)", ContainerStatus={"ExitCode": 3})
    shown = view.container(seen(one, ended), one)
    assert (shown.status, shown.exit_code, shown.shortfall) == ("exited", 3, "")
    assert view.container(seen(one, task(1, "complete", wanted="shutdown")), one).exit_code == 0
    assert view.container(seen(one, task(1, "rejected", Err="No such image")), one).exit_code == view.NOT_STARTED
    assert view.container(seen(one, task(1, "preparing")), one).running
    assert view.container(seen(one), one).running


def test_the_state_of_an_update_is_read() -> None:
    found = seen(document(UpdateStatus={"State": "paused", "Message": "update paused due to failure"}))
    assert (found.update, found.message) == ("paused", "update paused due to failure")
    assert seen(document()).update == ""
