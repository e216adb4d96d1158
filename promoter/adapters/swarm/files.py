"""The secrets and configs of a swarm. They cannot be changed, so each content has its own name."""

from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from json import dumps
from typing import Any

from promoter.adapters.engine.errors import answered
from promoter.adapters.swarm.managers import Managers
from promoter.model.errors import EngineError, StartError
from promoter.model.ownership import is_owned, not_ours
from promoter.promotion.ports.container import FileContent

_KINDS = ("secrets", "configs")


class Files:
    """Reads, creates and removes secrets and configs."""

    def __init__(self, managers: Managers) -> None:
        self._managers = managers

    def ids(self, files: Sequence[FileContent]) -> dict[str, str]:
        """Return the ids of those that exist, by name."""
        return {name: str(document["ID"]) for name, document in self._existing(files).items()}

    def missing(self, files: Sequence[FileContent]) -> tuple[FileContent, ...]:
        existing = self._existing(files)
        return tuple(file for file in files if file.name not in existing)

    def ensure(self, files: Sequence[FileContent], labels: Mapping[str, str], reveal: Callable[[str], str]) -> None:
        """Create those that are missing. Raise StartError for one of another owner."""
        existing = self._existing(files)
        for file in {file.name: file for file in files}.values():
            kind = _kind(file)
            if file.name in existing:
                found = existing[file.name]["Spec"].get("Labels") or {}
                if not is_owned(found, labels):
                    raise not_ours(kind[:-1], file.name, found, labels)
                continue
            body = {
                "Name": file.name,
                "Labels": dict(labels),
                "Data": b64encode(reveal(file.content).encode()).decode(),
            }
            what = f"{kind[:-1]} {file.name} could not be created"
            try:
                self._managers.ask(what, "POST", f"/{kind}/create", kind=StartError, json=body)
            except StartError:
                if not self._existing([file]):  # a repeated request may have created it
                    raise

    def remove(self, labels: Mapping[str, str], keep: Collection[str]) -> tuple[str, ...]:
        """Remove those with these labels, except those to keep and those in use. Return their names."""
        removed = []
        filters = dumps({"label": [f"{key}={value}" for key, value in labels.items()]})
        for kind in _KINDS:
            for document in self._list(kind, filters):
                name = str(document["Spec"]["Name"])
                if name not in keep and self._removed(kind, str(document["ID"]), name):
                    removed.append(name)
        return tuple(sorted(removed))

    def _removed(self, kind: str, identifier: str, name: str) -> bool:
        try:
            self._managers.ask(f"{kind[:-1]} {name} could not be removed", "DELETE", f"/{kind}/{{0}}", identifier)
        except EngineError as error:
            if not answered(error):
                raise
            return False  # a service of another owner, or one that is being removed, still uses it
        return True

    def _existing(self, files: Iterable[FileContent]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for kind in _KINDS:
            names = {file.name for file in files if _kind(file) == kind}
            if names:
                filters = dumps({"name": sorted(names)})
                found |= {d["Spec"]["Name"]: d for d in self._list(kind, filters) if d["Spec"]["Name"] in names}
        return found

    def _list(self, kind: str, filters: str) -> list[dict[str, Any]]:
        answer = self._managers.ask(f"{kind} could not be listed", "GET", f"/{kind}", params={"filters": filters})
        found: list[dict[str, Any]] = answer.json() or []
        return found


def _kind(file: FileContent) -> str:
    return _KINDS[0] if file.secret else _KINDS[1]
