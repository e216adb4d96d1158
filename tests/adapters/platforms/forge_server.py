"""GitHub's and GitLab's documented answers on loopback: status codes, bodies, and faults that a test configures."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "ghs_0123456789secret"
RUN, JOB, PROJECT = "4711", "99", "17"
REPOSITORY = "acme/shop"


@dataclass
class Asked:
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: Any


@dataclass
class Answer:
    """`hang` keeps the connection open without an answer until the test ends."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False


@dataclass
class ForgeServer:
    """`next` are answers that are used first, in order. `asked` are all requests."""

    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    next: list[Answer] = field(default_factory=list)
    refuse: dict[str, Answer] = field(default_factory=dict)
    """Answers that always apply, by a part of the path."""
    approvals: list[dict[str, Any]] = field(default_factory=list)
    """GitHub's review history of run 4711, or GitLab's approvals of the deployment of job 99."""
    deployments: list[dict[str, Any]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def review(self, user: str, state: str = "approved", environment: str = "prod", comment: str = "") -> None:
        """Add a review in GitHub's format."""
        record = {"id": 1, "name": environment, "html_url": f"https://github.com/{REPOSITORY}/deployments/{environment}"}
        person = {"login": user, "id": 1, "type": "User"}
        self.approvals.append({"state": state, "comment": comment, "environments": [record], "user": person})

    def approve(self, user: str, status: str = "approved", comment: str = "", at: str = "2026-11-23T18:20:11.000Z") -> None:
        """Add an approval in GitLab's format."""
        self.approvals.append({"user": {"id": 1, "username": user}, "status": status, "created_at": at, "comment": comment})

    def posts(self, end: str = "") -> list[Asked]:
        return [one for one in self.asked if one.method == "POST" and one.path.endswith(end)]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if self.next:
            return self.next.pop(0)
        refused = next((answer for part, answer in self.refuse.items() if part in asked.path), None)
        if refused is not None:
            return refused
        given = asked.headers.get("Authorization", "").removeprefix("Bearer ") or asked.headers.get("PRIVATE-TOKEN")
        if (given or asked.headers.get("JOB-TOKEN")) != TOKEN:
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        found = self._gitlab(asked) if asked.path.startswith("/projects/") else self._github(asked)
        return found or Answer(404, {"message": "Not Found", "status": "404"})

    def _github(self, asked: Asked) -> Answer | None:
        base = f"/repos/{REPOSITORY}"
        match asked.method, asked.path.removeprefix(base):
            case "GET", "":
                return Answer(200, {"id": 1, "full_name": REPOSITORY, "default_branch": "trunk"})
            case "POST", "/dispatches" | "/actions/workflows/promote.yml/dispatches":
                return Answer(204)
            case "GET", path if path == f"/actions/runs/{RUN}/approvals":
                return Answer(200, self.approvals)
            case "POST", "/deployments":
                self.deployments.append(asked.body)
                return Answer(201, {"id": len(self.deployments), "sha": asked.body["ref"]})
            case "POST", path if path.startswith("/deployments/") and path.endswith("/statuses"):
                return Answer(201, {"id": 1, "state": asked.body["state"]})
            case "POST", "/orgs/acme/artifacts/metadata/deployment-record":
                return Answer(200, {"total_count": 1, "deployment_records": [{"id": 123}]})
        return None

    def _gitlab(self, asked: Asked) -> Answer | None:
        project, _, rest = asked.path.removeprefix("/projects/").partition("/")
        if project not in (PROJECT, REPOSITORY):
            return None
        match asked.method, rest:
            case "GET", "":
                return Answer(200, {"id": int(PROJECT), "path_with_namespace": REPOSITORY})
            case "POST", "pipeline":
                return Answer(201, {"id": 61, "ref": asked.body["ref"], "status": "pending"})
            case "GET", "deployments":
                there = asked.query.get("environment") == ["prod"]
                other = {"id": 40, "deployable": {"id": 12}, "environment": {"name": "prod"}}
                mine = {"id": 41, "deployable": {"id": int(JOB)}, "environment": {"name": "prod"}}
                return Answer(200, [other, mine] if there else [])
            case "GET", "deployments/41":
                return Answer(200, {"id": 41, "deployable": {"id": int(JOB)}, "approvals": self.approvals})
        return None


@contextmanager
def forge_server() -> Iterator[ForgeServer]:
    forge = ForgeServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, query = unquote(parts.path), parse_qs(parts.query)
            answer = forge.answer(Asked(self.command, path, query, dict(self.headers), json.loads(content) if content else None))
            if answer.hang:
                forge.over.wait(60)
                return
            body = (
                answer.body
                if isinstance(answer.body, bytes)
                else b""
                if answer.body is None
                else json.dumps(answer.body).encode()
            )
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if answer.status != 204 else b"")

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    forge.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield forge
    finally:
        forge.over.set()
        server.shutdown()
        server.server_close()
