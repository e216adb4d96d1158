"""Services of a swarm: read, create, update and remove. An update names the version that it changes."""

from collections.abc import Callable, Mapping, Sequence
from json import dumps
from secrets import token_hex
from typing import Any

from promoter.adapters.engine.create_body import revealed_body
from promoter.adapters.engine.errors import answered
from promoter.adapters.swarm import settings, view
from promoter.adapters.swarm.files import Files
from promoter.adapters.swarm.managers import Managers
from promoter.adapters.swarm.service_body import service_body
from promoter.model.errors import EngineError, StartError
from promoter.model.images import BadReference, Digest, ImageRef
from promoter.model.labels import LABEL, promotion_of
from promoter.model.secrets import OPENING
from promoter.promotion.ports.cluster import ClusterService
from promoter.promotion.ports.container import ContainerSpec, Observation
from promoter.promotion.ports.secrets import Secrets

Json = dict[str, Any]
_AGAIN = f"{LABEL}.update"
_REQUEST = f"{LABEL}.request"
_TRIES = 5
"""How often an update is tried again after another client has changed the service meanwhile."""


class Services:
    """The services of a swarm, as its managers have them."""

    def __init__(self, managers: Managers, files: Files) -> None:
        self._managers, self._files = managers, files

    # ------------------------------------------------------------ reads
    def document(self, reference: str) -> Json | None:
        """Return the JSON of a service by name or id, with the number of its tasks; None if there is none."""
        named = (one for one in self.documents({"name": [reference]}) if one["Spec"]["Name"] == reference)
        by_id = (one for one in self.documents({"id": [reference]}) if one["ID"] == reference)
        return next(named, None) or next(by_id, None)

    def documents(self, filters: Mapping[str, Sequence[str]]) -> list[Json]:
        """Return the JSON of services."""
        parameters = {"status": "true", **({"filters": dumps(filters)} if filters else {})}
        answer = self._managers.ask("services could not be listed", "GET", "/services", params=parameters)
        found: list[Json] = answer.json() or []
        return found

    def seen(self, documents: Sequence[Json]) -> tuple[ClusterService, ...]:
        """Return services with their tasks."""
        if not documents:
            return ()
        filters = dumps({"service": [document["ID"] for document in documents]})
        tasks: list[Json] = (
            self._managers.ask("tasks could not be listed", "GET", "/tasks", params={"filters": filters}).json() or []
        )
        nodes = self.nodes()
        return tuple(
            view.service(document, [task for task in tasks if task.get("ServiceID") == document["ID"]], nodes)
            for document in documents
        )

    def nodes(self) -> dict[str, view.Node]:
        """Return the nodes, by id."""
        answer = self._managers.ask("nodes could not be listed", "GET", "/nodes")
        return {one["ID"]: view.node(one) for one in answer.json() or []}

    def changed(self, spec: ContainerSpec, document: Json) -> Observation:
        """Return how a service is configured, beside how `spec` would configure it."""
        networks = self._networks()
        found = settings.flat(document["Spec"], networks)
        wanted = settings.flat(service_body(spec, {}), networks)
        image = str(document["Spec"]["TaskTemplate"]["ContainerSpec"].get("Image") or "")
        reference = image_of(document)
        return Observation(wanted, found, frozenset({reference.digest} if reference else ()), image)

    def _networks(self) -> dict[str, str]:
        answer = self._managers.ask("networks could not be listed", "GET", "/networks")
        return {one["Id"]: one["Name"] for one in answer.json() or []}

    # ------------------------------------------------------------ changes
    def create(self, body: Json, image: ImageRef) -> str:
        """Create a service. Raise StartError."""
        what = f"service {body['Name']} could not be created"
        answer = self._managers.ask(what, "POST", "/services/create", kind=StartError, json=body, headers=self._login(image))
        return str(answer.json()["ID"])

    def create_once(self, body: Json, image: ImageRef) -> str:
        """Create a service. If the answer is lost with its manager, the next manager has the service already: return its id."""
        request = token_hex(8)
        try:
            return self.create({**body, "Labels": {**body["Labels"], _REQUEST: request}}, image)
        except StartError as error:
            found = self.document(body["Name"]) if _has_changed(error) else None
            if found is None or found["Spec"]["Labels"].get(_REQUEST) != request:
                raise
            return str(found["ID"])

    def apply(self, spec: ContainerSpec, secrets: Secrets, *, restart: bool) -> str:
        """Create a service or update it, and return its id. A request that is repeated finds what the first one did."""
        body: Json = revealed_body(service_body(spec, self._files.ids(spec.files)), secrets.reveal)
        template = body["TaskTemplate"]

        def act(document: Json | None) -> str:
            if document is None:
                return self.create(body, spec.image)
            # decided at the first try, so that a repeated one does not replace the tasks again
            template.setdefault("ForceUpdate", _force(document["Spec"]) + restart)
            self._keep_tasks(document["Spec"], body)
            return self._become(document, body, spec.image)

        return self._unless_changed(spec.name, act)

    def revert(self, spec: ContainerSpec, failed: str, secrets: Secrets, *, quickly: bool) -> str:
        """Return a service to the configuration that it had before a promotion."""

        def act(document: Json | None) -> str:
            earlier = self._recorded(spec, failed, document)
            if document is None or earlier is None:
                return self.apply(spec, secrets, restart=False)
            return self._become(document, {**earlier, "UpdateConfig": _pace(spec, quickly=quickly)}, spec.image)

        return self._unless_changed(spec.name, act)

    def remove(self, reference: str) -> None:
        try:
            self._managers.ask(f"service {reference} could not be removed", "DELETE", "/services/{0}", reference)
        except EngineError as error:
            if not (answered(error) and "not found" in error.message):
                raise

    def again(self, name: str) -> None:
        """Send the specification of a service once more, so that the swarm begins its update again where it was.

        One label is different: a swarm goes on with an update whose specification is the same.
        """
        document = self.document(name)
        if document is not None and (image := image_of(document)) is not None:
            spec = document["Spec"]
            labels = {**(spec.get("Labels") or {}), _AGAIN: str(document["Version"]["Index"])}
            self._update(document, {**spec, "Labels": labels}, image)

    # ------------------------------------------------------------ parts
    def _unless_changed(self, name: str, act: Callable[[Json | None], str]) -> str:
        """Call `act` with a service as it is now, and again if another client has changed it meanwhile."""
        for _ in range(_TRIES - 1):
            try:
                return act(self.document(name))
            except StartError as error:
                if not _has_changed(error):
                    raise
        return act(self.document(name))

    def _become(self, document: Json, body: Json, image: ImageRef) -> str:
        """Update a service if it differs, and return its id. An update that changes nothing would lose its state."""
        if not self._is(document, body):
            self._update(document, body, image)
        return str(document["ID"])

    def _recorded(self, spec: ContainerSpec, failed: str, document: Json | None) -> Json | None:
        """Return the recorded specification, if the swarm still has it as the present or the previous one.

        The previous one is that of the last writer: it counts only if it has the recorded settings, and is not of the failed
        promotion. Values of secrets are not compared: those of then may not be known any more.
        """
        if document is None:
            return None
        networks, wanted = self._networks(), service_body(spec, {})
        for found in (document["Spec"], document.get("PreviousSpec")):
            if found is None or promotion_of(found.get("Labels") or {}) == failed:
                continue
            if _image(found) != _image(wanted):
                continue
            if _same(settings.flat(wanted, networks), settings.flat({**found, "UpdateConfig": wanted["UpdateConfig"]}, networks)):
                kept: Json = found
                return kept
        return None

    def _keep_tasks(self, found: Json, body: Json) -> None:
        """Keep promoter's own labels on the tasks, if nothing else of them changes: they would be replaced for the labels."""
        networks = self._networks()
        one, other = (settings.of_tasks(settings.flat(spec, networks)) for spec in (found, body))
        if one == other and _image(found) == _image(body):
            body["TaskTemplate"]["ContainerSpec"]["Labels"] = found["TaskTemplate"]["ContainerSpec"].get("Labels") or {}

    def _update(self, document: Json, body: Json, image: ImageRef) -> None:
        what = f"service {body['Name']} could not be updated"
        path, version = "/services/{0}/update", str(document["Version"]["Index"])
        self._managers.ask(
            what,
            "POST",
            path,
            document["ID"],
            kind=StartError,
            json=body,
            params={"version": version},
            headers=self._login(image),
        )

    def _login(self, image: ImageRef) -> dict[str, str]:
        """Return the login that the nodes pull with. Without one, an update keeps that of the service."""
        engine, host = self._managers.engines[0], image.repository.host
        return {} if engine.login_name(host) is None else engine.registry_header(host)

    def _is(self, document: Json, body: Json) -> bool:
        """Return whether a service already has this specification."""
        spec, networks = document["Spec"], self._networks()
        same = settings.flat(spec, networks) == settings.flat(body, networks)
        image = _image(spec) == _image(body)
        promotion = promotion_of(spec.get("Labels") or {}) == promotion_of(body["Labels"])
        return same and image and promotion and _force(spec) == _force(body)


def image_of(document: Json) -> ImageRef | None:
    """Return the image that a service names; None without a digest."""
    try:
        return ImageRef.parse(str(document["Spec"]["TaskTemplate"]["ContainerSpec"].get("Image") or ""))
    except BadReference:
        return None


def digest_in(document: Json) -> Digest | None:
    image = image_of(document)
    return None if image is None else image.digest


def _pace(spec: ContainerSpec, *, quickly: bool) -> Json:
    """Return how fast tasks are replaced: as recorded, or as `rollback_config` says. A failure pauses in both cases."""
    body = service_body(spec, {})
    pace: Json = body["RollbackConfig"] if quickly and "RollbackConfig" in body else body["UpdateConfig"]
    return pace


def _same(wanted: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Compare settings, but not the values that contain secrets."""
    if wanted.keys() != found.keys():
        return False
    return all(OPENING in dumps(value) or found[path] == value for path, value in wanted.items())


def _image(spec: Mapping[str, Any]) -> str | None:
    image: str | None = (spec["TaskTemplate"].get("ContainerSpec") or {}).get("Image")
    return image


def _force(spec: Mapping[str, Any]) -> int:
    return int(spec["TaskTemplate"].get("ForceUpdate") or 0)


def _has_changed(error: StartError) -> bool:
    """Return whether another client has changed or created the service meanwhile."""
    return "out of sequence" in error.message or "conflicts with an existing object" in error.message
