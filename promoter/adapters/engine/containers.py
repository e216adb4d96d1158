"""The containers of one engine: create, start, stop, rename, remove, find, wait for, and read logs."""

import contextlib
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from docker.errors import APIError, NotFound

from promoter.adapters.engine import inspect, podman, streams
from promoter.adapters.engine.client import CONNECT, READ, Client
from promoter.adapters.engine.connection import Link
from promoter.adapters.engine.create_body import create_body, demands, endpoint, unplaceable
from promoter.adapters.engine.errors import FOREIGN, renamed, taken_port, timed_out
from promoter.adapters.engine.files import archive
from promoter.adapters.engine.log_lines import log_part, unix
from promoter.model.errors import StartError, WorldError
from promoter.model.pattern import pattern
from promoter.promotion.ports.container import Container, ContainerSpec, LogPart, PublishedPort
from promoter.promotion.ports.secrets import Secrets

_SIDE_BY_SIDE = 8
_DEFAULT_GRACE = 10
_STARTING = 120.0
_POLL_INTERVAL = 0.25
_UNREADABLE = ("does not support reading", "this container is not logging output")
LETTING_GO = 20.0
"""Seconds for which a restarted engine may still occupy the port of a stopped container, or clean up after a start."""
_LEFT_BY_A_START = pattern(r"failed to start shim: mkdir .*: file exists|task \w+: already exists")
"""What an engine answers that was killed while it started this container, until it has cleaned up."""
_RUNS_UNNOTICED = pattern(r"\bid already in use\b")
"""What it answers as long as the process of that start runs. The engine does not know it: it cannot stop it, nor remove it."""


class Containers(Link):
    """The container methods of the Engine port, except `exec`."""

    def find(self, labels: Mapping[str, str]) -> tuple[Container, ...]:
        filters = json.dumps({"label": [f"{name}={value}" for name, value in labels.items()]})
        parameters = {"all": "1", "filters": filters}
        found = self.ask("containers could not be listed", "GET", "/containers/json", params=parameters).json()
        identifiers = [str(entry["Id"]) for entry in found]
        if len(identifiers) < 2:
            seen = [self.inspect(identifier) for identifier in identifiers]
        else:
            with ThreadPoolExecutor(min(len(identifiers), _SIDE_BY_SIDE)) as pool:
                seen = list(pool.map(self.inspect, identifiers))
        return tuple(sorted((c for c in seen if c is not None), key=lambda c: c.name))

    def labels_by_name(self) -> Mapping[str, Mapping[str, str]]:
        found = self.ask("containers could not be listed", "GET", "/containers/json", params={"all": "1"}).json()
        return {name.lstrip("/"): dict(entry.get("Labels") or {}) for entry in found for name in entry.get("Names") or ()}

    def published_ports(self) -> tuple[PublishedPort, ...]:
        found = self.ask("containers could not be listed", "GET", "/containers/json").json()
        return tuple(
            PublishedPort(
                (entry.get("Names") or [entry["Id"]])[0].lstrip("/"),
                dict(entry.get("Labels") or {}),
                port.get("IP") or "",
                int(port["PublicPort"]),
                str(port.get("Type") or "tcp"),
            )
            for entry in found
            for port in entry.get("Ports") or ()
            if port.get("PublicPort")
        )

    def inspect(self, reference: str) -> Container | None:
        client = self.client()
        answer = self.answer(f"container {reference} could not be inspected", "/containers/{0}/json", reference)
        if answer is None:
            return None
        document: dict[str, Any] | None = answer.json()
        if client.podman and document and podman.is_overdue(document, podman.clock(answer.headers.get("Date"))):
            _run_healthcheck(client, document)
            document = self._document(reference)
        return None if document is None else inspect.container(document)

    def _document(self, reference: str) -> dict[str, Any] | None:
        return self.document(f"container {reference} could not be inspected", "/containers/{0}/json", reference)

    def create(self, spec: ContainerSpec, secrets: Secrets) -> str:
        what = f"container {spec.name} could not be created"
        api = self.client().api
        if cannot := demands(spec, api):
            raise StartError(f"{what}: {cannot}", hint="remove that key, or update the engine")
        if cannot := unplaceable(spec):
            raise StartError(f"{what}: {cannot}", hint="mount a volume there, or remove the conflicting key")
        try:
            return self._create(spec, secrets, what, at_once=api >= (1, 44))
        except WorldError as error:
            clean = secrets.redact(error.message)
            raise type(error)(clean, hint=error.hint, retryable=error.retryable) from None

    def _create(self, spec: ContainerSpec, secrets: Secrets, what: str, *, at_once: bool) -> str:
        body = create_body(spec, secrets.reveal, every_network=at_once)
        parameters = {"name": spec.name}
        if spec.service.platform and self.client().api >= (1, 41):
            parameters["platform"] = spec.service.platform
        answer = self.ask(what, "POST", "/containers/create", kind=StartError, params=parameters, json=body)
        container: str = answer.json()["Id"]
        try:
            for name, attachment in [] if at_once else list(spec.service.networks.items())[1:]:
                there = {"Container": container, "EndpointConfig": endpoint(attachment, spec.service.external_links)}
                self.ask(what, "POST", "/networks/{0}/connect", name, kind=StartError, json=there)
            if spec.files:
                tar = archive(spec.files, secrets.reveal)
                target = {"path": "/"}
                self.ask(what, "PUT", "/containers/{0}/archive", container, kind=StartError, params=target, data=tar)
        except BaseException:
            with contextlib.suppress(WorldError):
                self.remove(container, volumes=True)
            raise
        return container

    def start(self, container: str) -> None:
        what, ends = f"container {container[:12]} could not be started", time.monotonic() + LETTING_GO
        while True:
            try:
                self.ask(what, "POST", "/containers/{0}/start", container, kind=StartError, timeout=(CONNECT, _STARTING))
            except StartError as error:
                if _RUNS_UNNOTICED.search(error.message):
                    error.hint = _how_to_end(container)
                    raise
                port = taken_port(error.message)
                if port is None and not _LEFT_BY_A_START.search(error.message):
                    raise
                if port is not None and (holder := self._holder(port)) is not None:
                    error.hint = f"container {holder} uses that port: stop it, or publish another port"
                    raise
                if time.monotonic() >= ends:
                    raise
                time.sleep(_POLL_INTERVAL)
            else:
                return

    def _holder(self, port: int) -> str | None:
        """Return the running container that publishes a port; None if a restarted engine occupies the port without one."""
        running = self.ask("containers could not be listed", "GET", "/containers/json").json()
        holders = (c for c in running if any(p.get("PublicPort") == port for p in c.get("Ports") or ()))
        return next((str(c["Names"][0]).lstrip("/") for c in holders), None)

    def stop(self, container: str, grace: timedelta | None) -> None:
        what = f"container {container} could not be stopped"
        document = self._document(container)
        if document is not None and document["State"]["Status"] in ("created", "exited", "dead"):
            return
        config = document or {"Config": {}, "HostConfig": {}}
        own = config["Config"].get("StopTimeout")
        seconds = (_DEFAULT_GRACE if own is None else own) if grace is None else -int(-grace.total_seconds() // 1)
        if (config["HostConfig"].get("RestartPolicy") or {}).get("Name") == "always":
            # With `always`, a restarted engine would start this container again beside its successor.
            self._update(what, container, {"RestartPolicy": {"Name": "unless-stopped"}})
        parameters = {} if grace is None else {"t": str(seconds)}
        timeout = (CONNECT, READ + max(seconds, 0)) if seconds >= 0 else (CONNECT, None)
        self.ask(what, "POST", "/containers/{0}/stop", container, params=parameters, timeout=timeout)

    def _update(self, what: str, container: str, change: Mapping[str, Any]) -> None:
        client = self.client()
        with renamed(what):
            try:
                client.call("POST", "/containers/{0}/update", container, json=change)
            except NotFound:
                if not client.podman:  # Podman before 5.1 cannot update a container
                    raise

    def rename(self, container: str, name: str) -> None:
        client = self.client()
        with renamed(f"container {container} could not be renamed to {name}"):
            try:
                client.call("POST", "/containers/{0}/rename", container, params={"name": name})
            except APIError as error:
                if "same name as its current name" not in (error.explanation or ""):
                    raise

    def remove(self, container: str, *, volumes: bool = False) -> None:
        client = self.client()
        with renamed(f"container {container} could not be removed"):
            try:
                parameters = {"force": "1", "v": "1" if volumes else "0"}
                client.call("DELETE", "/containers/{0}", container, params=parameters)
            except APIError as error:
                if error.status_code != 404 and "already in progress" not in (error.explanation or ""):
                    raise

    def wait(self, container: str, timeout: float) -> int | None:
        client = self.client()
        with renamed(f"container {container} could not be waited for"):
            try:
                answer = client.call("POST", "/containers/{0}/wait", container, timeout=(CONNECT, max(timeout, 0.001)))
            except FOREIGN as error:
                if timed_out(error):
                    return None
                raise
        return int(answer.json()["StatusCode"])

    def logs(self, container: str, tail: int) -> str:
        return self._log(container, {"tail": str(tail)})

    def log_since(self, container: str, tail: int, since: str) -> LogPart:
        output = self._log(container, {"timestamps": "1", **({"since": unix(since)} if since else {"tail": str(tail)})})
        return log_part(output, since)

    def _log(self, container: str, parameters: Mapping[str, str]) -> str:
        client = self.client()
        parameters = {"stdout": "1", "stderr": "1", **parameters}
        with renamed(f"the log of container {container} could not be read"):
            try:
                return streams.demultiplex(client.call("GET", "/containers/{0}/logs", container, params=parameters).content)
            except APIError as error:
                if any(words in (error.explanation or "") for words in _UNREADABLE):
                    return ""
                raise


def _run_healthcheck(client: Client, document: Mapping[str, Any]) -> None:
    """Run a container's healthcheck through Podman's API. If it cannot be run, its state stays as it is."""
    timeout = (CONNECT, podman.time_limit(document) + CONNECT)
    with contextlib.suppress(*FOREIGN):
        client.call("GET", podman.HEALTHCHECK, document["Id"], version=podman.API, timeout=timeout)


def _how_to_end(identifier: str) -> str:
    """Return the hint. The pattern of its command does not match the command itself, nor a shell or sudo that starts it."""
    return (
        "the engine was killed while it started this container, and does not know its process: on the machine of the engine, "
        f"`pkill -KILL -f '[c]ontainerd-shim.* -id {identifier}'` ends it; then run the same command again"
    )
