"""Convert the JSON of services, tasks and nodes to the port's values. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from promoter.model.labels import Role, promotion_of, role_of
from promoter.promotion.ports.cluster import ClusterService, Task
from promoter.promotion.ports.container import Container

Document = Mapping[str, Any]
_WANTED = ("running", "ready", "complete")
"""Desired states of tasks that the swarm wants to run, or to have run."""
NOT_STARTED = 125
"""The exit code of a job whose container could not be made, as `docker run` has it."""


class Node(NamedTuple):
    """A node: its host name, and whether the swarm has lost it."""

    name: str
    lost: bool


def node(document: Document) -> Node:
    """Return a node of `GET /nodes`."""
    name = (document.get("Description") or {}).get("Hostname") or document["ID"]
    return Node(name, (document.get("Status") or {}).get("State") == "down")


def service(document: Document, tasks: Sequence[Document], nodes: Mapping[str, Node]) -> ClusterService:
    """Return a service of `GET /services?status=true`. `nodes` are by their ids."""
    spec, update = document["Spec"], document.get("UpdateStatus") or {}
    found = tuple(_task(spec["Name"], one, nodes) for one in sorted(tasks, key=_order))
    return ClusterService(
        id=document["ID"],
        name=spec["Name"],
        labels=dict(spec.get("Labels") or {}),
        update=update.get("State") or "",
        message=update.get("Message") or "",
        wanted=int((document.get("ServiceStatus") or {}).get("DesiredTasks") or 0),
        # the engine's own number has the tasks of lost nodes too
        running=sum(task.wanted and task.state == "running" and not task.lost for task in found),
        template=promotion_of((spec["TaskTemplate"].get("ContainerSpec") or {}).get("Labels") or {}),
        replicas=((spec.get("Mode") or {}).get("Replicated") or {}).get("Replicas"),
        tasks=found,
    )


def container(found: ClusterService, document: Document) -> Container:
    """Return a service, or a job, as one container."""
    job = is_job(document)
    newest = found.tasks[-1] if found.tasks else None
    ended = job and newest is not None and (newest.failed or newest.state == "complete")
    short = "" if job else shortfall(found)
    health = "healthy" if not job and not short and _is_checked(document) else None
    return Container(
        id=found.id,
        name=found.name,
        labels=found.labels,
        status="exited" if ended else "degraded" if short else "running",
        exit_code=_exit_code(newest) if ended and newest is not None else 0,
        oom_killed=False,
        restart_count=0,
        started_at="",
        health=health,
        health_log=(),
        healthcheck=None,
        published={},
        error=newest.error if newest is not None and ended else "",
        shortfall=short,
    )


def shortfall(found: ClusterService) -> str:
    """Return why fewer tasks run than wanted; empty if all run."""
    if found.running >= found.wanted:
        return ""
    count = f"{found.running} of {found.wanted} tasks run"
    wrong = [task for task in found.tasks if task.error and task.state != "running"]
    waiting = [task for task in wrong if task.wanted]
    newest = (waiting or wrong)[-1:]
    return "; ".join((count, *(task.sentence for task in newest)))


def is_job(document: Document) -> bool:
    return role_of(document["Spec"].get("Labels") or {}) == Role.JOB


def _is_checked(document: Document) -> bool:
    check = document["Spec"]["TaskTemplate"].get("ContainerSpec", {}).get("Healthcheck") or {}
    return bool(check.get("Test")) and list(check["Test"]) != ["NONE"]


def _task(service_name: str, document: Document, nodes: Mapping[str, Node]) -> Task:
    status, runs_on = document.get("Status") or {}, nodes.get(document.get("NodeID") or "", Node("", lost=False))
    inside = document["Spec"].get("ContainerSpec") or {}
    code = (status.get("ContainerStatus") or {}).get("ExitCode")
    return Task(
        id=document["ID"],
        name=f"{service_name}.{document['Slot']}" if document.get("Slot") else service_name,
        node=runs_on.name,
        lost=runs_on.lost,
        state=status.get("State") or "new",
        wanted=document.get("DesiredState") in _WANTED,
        promotion=promotion_of(inside.get("Labels") or {}),
        error=(status.get("Err") or "").strip(),
        exit_code=int(code) if code is not None else None,
    )


def _order(document: Document) -> tuple[int, str]:
    return int(document.get("Slot") or 0), str(document.get("CreatedAt") or "")


def _exit_code(task: Task) -> int:
    if task.state == "complete":
        return 0
    return task.exit_code or NOT_STARTED
