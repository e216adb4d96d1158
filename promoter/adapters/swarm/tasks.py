"""Logs of tasks, and commands in the containers of those that run on a manager."""

from collections.abc import Mapping, Sequence
from json import dumps

from promoter.adapters.engine import streams
from promoter.adapters.engine.client import CONNECT
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.swarm import service_log, view
from promoter.adapters.swarm.identity import swarm_of
from promoter.adapters.swarm.managers import Managers
from promoter.adapters.swarm.services import Services
from promoter.model.errors import EngineError
from promoter.promotion.ports.cluster import Task
from promoter.promotion.ports.container import ExecResult, LogPart, Output

_READ_LOG = 10.0
"""Seconds that a node has to send a log."""


class Tasks:
    """The methods about tasks of the Cluster port."""

    def __init__(self, managers: Managers, services: Services) -> None:
        self._managers, self._services = managers, services

    def logs(self, container: str, tail: int) -> str:
        document = self._services.document(container)
        if document is None:
            return ""
        found = self._services.seen([document])[0]
        if view.is_job(document):
            return "\n".join(filter(None, (self.task_logs(t.id, tail) or t.error for t in found.tasks[-1:])))
        wanted = [task for task in found.tasks if task.wanted and task.node]
        return "".join(f"{task.name} on {task.node} | {line}\n" for task in wanted for line in self._lines(task, tail))

    def _lines(self, task: Task, tail: int) -> list[str]:
        try:
            return self._log("/tasks/{0}/logs", task.id, {"tail": str(tail)}).splitlines()
        except EngineError as error:
            return [f"not shown: {error.message}"]

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        which = {"since": service_log.begin(since)} if since else {"tail": str(tail)}
        output = self._log("/services/{0}/logs", container, {"timestamps": "1", "details": "1", **which})
        return service_log.log_part(output, since)

    def task_logs(self, task: str, tail: int) -> str:
        try:
            return self._log("/tasks/{0}/logs", task, {"tail": str(tail)})
        except EngineError:
            return ""

    def _log(self, path: str, name: str, parameters: Mapping[str, str]) -> str:
        parameters = {"stdout": "1", "stderr": "1", **parameters}
        what = f"the log of {name} could not be read"
        answer = self._managers.ask_once(what, path, name, params=parameters, timeout=(CONNECT, _READ_LOG))
        return streams.demultiplex(answer.content)

    def exec(
        self, service: str, replica: int, command: Sequence[str], timeout: float, output: Output | None = None
    ) -> ExecResult:
        found = self._running(service)
        reachable: list[tuple[DockerEngine, str]] = []
        for engine in self._managers.engines:
            try:
                node = swarm_of(engine)["NodeID"]
            except EngineError:
                continue
            reachable += [(engine, container) for at, container in found if at == node]
        if not 1 <= replica <= len(reachable):
            names = self._services.nodes()
            where = ", ".join(sorted({names[node].name if node in names else node for node, _ in found})) or "no node"
            raise EngineError(
                f"the managers that `engine` names run {len(reachable)} tasks of {service}, and number {replica} was asked for: "
                f"it runs on {where}",
                hint="a manager cannot run a command on another node: name a manager that runs the service",
            )
        engine, container = reachable[replica - 1]
        return engine.exec(container, command, timeout, output)

    def _running(self, service: str) -> list[tuple[str, str]]:
        """Return node and container of each running task of a service, by its slot."""
        filters = dumps({"service": [service], "desired-state": ["running"]})
        tasks = self._managers.ask("tasks could not be listed", "GET", "/tasks", params={"filters": filters}).json() or []
        running = [task for task in tasks if task["Status"]["State"] == "running"]
        ordered = sorted(running, key=lambda task: (task.get("Slot") or 0, task["ID"]))
        return [(task["NodeID"], task["Status"]["ContainerStatus"]["ContainerID"]) for task in ordered]
