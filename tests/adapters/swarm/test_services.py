"""A service is created once, also if a manager is lost before it answers."""

from typing import Any, cast

import pytest
from docker.errors import APIError

from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.swarm.files import Files
from promoter.adapters.swarm.managers import Managers
from promoter.adapters.swarm.services import Services
from promoter.model.errors import EngineError, StartError
from promoter.model.images import ImageRef

IMAGE = ImageRef.parse(f"registry.example.com/web@sha256:{'a' * 64}")
BODY = {"Name": "job", "Labels": {"one": "two"}}


class Answer:
    def __init__(self, document: Any) -> None:
        self.document = document

    def json(self) -> Any:
        return self.document


class Manager:
    """A manager of a swarm with these services. It is `lost` once, before it answers, but after it did what was asked."""

    def __init__(self, services: list[dict[str, Any]], *, lost: bool = False) -> None:
        self.address, self.services, self.lost = "a", services, lost

    def login_name(self, _host: str) -> None:
        return None

    def ask(self, what: str, method: str, path: str, *_: str, **options: Any) -> Answer:
        if method == "GET":
            return Answer(self.services)
        assert path == "/services/create"
        spec = options["json"]
        if any(one["Spec"]["Name"] == spec["Name"] for one in self.services):
            taken = StartError(f"{what}: rpc error: code = AlreadyExists desc = name conflicts with an existing object")
            taken.__cause__ = APIError(str(taken))
            raise taken
        self.services.append({"ID": f"service-{len(self.services)}", "Spec": spec})
        if self.lost:
            self.lost = False
            error = EngineError("the connection was cut")
            error.__cause__ = ConnectionResetError()
            raise error
        return Answer({"ID": self.services[-1]["ID"]})


def services(*managers: Manager) -> Services:
    found = Managers(cast("list[DockerEngine]", list(managers)), lambda _: None, lambda: None)
    return Services(found, Files(found))


def test_an_answer_that_is_lost_with_its_manager_is_no_conflict() -> None:
    existing: list[dict[str, Any]] = []
    made = services(Manager(existing, lost=True), Manager(existing)).create_once(BODY, IMAGE)
    assert (made, len(existing)) == ("service-0", 1)
    assert existing[0]["Spec"]["Labels"].items() > BODY["Labels"].items()


def test_a_service_of_another_request_is_a_conflict() -> None:
    existing: list[dict[str, Any]] = [{"ID": "other", "Spec": BODY}]
    with pytest.raises(StartError, match="conflicts with an existing object"):
        services(Manager(existing)).create_once(BODY, IMAGE)
    assert len(existing) == 1
