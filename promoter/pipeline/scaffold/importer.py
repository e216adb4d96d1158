"""Import a Compose file or a Dockerfile as the parts of a first pipeline file. Pure.

Several environments on one engine need host ports of their own, so each published port becomes a variable; what else
cannot be shared by several copies is left out with a remark. `writer.py` writes the file.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from promoter.config.yaml.scalars import Tagged
from promoter.model.dataclass import dataclass
from promoter.model.pattern import pattern
from promoter.pipeline.compose.unsupported import reason
from promoter.pipeline.scaffold.variables import templated

_COPIED = ("networks", "volumes", "configs")
_RANGE = pattern(r"(.*:)?(\d+)-(\d+):(\d+)-(\d+)(/\w+)?")
_LONGEST_RANGE = 30
_FILLED = r"\{\{(?:(?!\}\}).)*\}\}"
_SHORT_PORT = pattern(rf"(?:({_FILLED}|.*):)?(\d+|{_FILLED}):((?:\d+|{_FILLED})(?:/\w+)?)")
_URL = pattern(r"https?://(?:localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0)(?::\d+)?(/[^\s\"'|;&]*)?")


@dataclass
class PipelineDraft:
    """The parts of the file so far."""

    name: str
    services: dict[str, Any] = field(default_factory=dict)
    shared: dict[str, Any] = field(default_factory=dict)
    ports: dict[str, str] = field(default_factory=dict)
    """The variable of each published port, and the port before."""
    owners: dict[str, tuple[str, str]] = field(default_factory=dict)
    """The service of each variable and its port before: one port may be published for TCP and UDP."""
    files: tuple[str, ...] = ()
    """The Compose files in which the services stay; empty if they are copied."""
    overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Overrides of each environment, for services that stay in Compose files."""
    probe: tuple[str, str] | None = None
    """The port variable and the path of a web page that shows that the service works."""
    remarks: list[str] = field(default_factory=list)
    path: str = ""
    """The path between the registry's host and the names of images."""

    @property
    def built(self) -> bool:
        """Return whether any image is built here, and so is pushed."""
        return any("build" in service for service in self.services.values()) or any(
            "init" in one for one in self.overrides.values()
        )


def name_from(text: str) -> str:
    """Make a pipeline name from the name of a directory."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "app"


def from_dockerfile(text: str, name: str) -> PipelineDraft:
    """Import one service, built from the Dockerfile here, with the Dockerfile's ports and health check."""
    draft = PipelineDraft(name)
    service: dict[str, Any] = {"image": name, "build": ".", "init": True}
    exposed = _exposed(text)
    if exposed:
        service["ports"] = [_publish(draft, name, "127.0.0.1", port, port) for port in exposed]
    check = next((words for word, words in _instructions(text) if word == "HEALTHCHECK"), None)
    if check is None:
        draft.remarks.append("The Dockerfile has no HEALTHCHECK: until it has one, a container is healthy after running for 2s.")
    elif exposed:
        draft.probe = probe_of(check, next(iter(draft.ports)))
    draft.services[name] = service
    return draft


def from_compose(document: Mapping[str, Any], name: str, *, named: bool = False) -> PipelineDraft:
    """Copy the services of a Compose file; `${VAR}` becomes a template. A `named` name wins over the file's."""
    draft = PipelineDraft(name if named else name_from(str(document.get("name") or name)))
    draft.path = f"/{draft.name}"
    services = document.get("services")
    for service, keys in (services if isinstance(services, Mapping) else {}).items():
        draft.services[service] = _service(draft, str(service), keys if isinstance(keys, Mapping) else {})
    draft.shared = {key: _shared(draft, key, templated(document[key], (key,))) for key in _COPIED if document.get(key)}
    secrets = document.get("secrets")
    if isinstance(secrets, Mapping) and secrets:
        draft.shared["secrets"] = {key: _secret(draft, key, value) for key, value in secrets.items()}
    draft.remarks += _left_out(document)
    return draft


def _shared(draft: PipelineDraft, key: str, entries: Any) -> Any:
    """Remove names that several environments of one engine would share by accident."""
    if key == "configs" or not isinstance(entries, Mapping):
        return entries
    kept = {}
    for name, entry in entries.items():
        kept[name] = entry
        if isinstance(entry, Mapping) and entry.get("name") and not entry.get("external"):
            kept[name] = {inner: value for inner, value in entry.items() if inner != "name"} or None
            draft.remarks.append(
                f"{key}.{name}: name is left out; each environment has its own {draft.name}-ENVIRONMENT-{name}. "
                "To use one that exists, write its name with external: true."
            )
    return kept


def _left_out(document: Mapping[str, Any]) -> list[str]:
    """Report every top-level key of a Compose file that is left out."""
    notes = [
        f"{key} is left out: {refusal.why}."
        if (refusal := reason("Compose", key))
        else f"{key} is left out: it is not a key of Compose."
        for key in document
        if key not in (*_COPIED, "services", "secrets", "name", "version") and not key.startswith("x-")
    ]
    if extensions := [key for key in document if key.startswith("x-")]:
        notes.append(f"{', '.join(extensions)}: left out; their content is copied to where it is used.")
    return notes


def _service(draft: PipelineDraft, name: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    taken = {
        key: templated(value, ("services", name, key))
        for key, value in keys.items()
        if key != "ports" and not (isinstance(value, Tagged) and value.tag == "reset")
    }
    if "build" in taken:
        taken = {"image": name_from(name), **{key: value for key, value in taken.items() if key != "image"}}
        taken.setdefault("init", True)
    if taken.pop("container_name", None):
        draft.remarks.append(f"{name}: container_name is left out; containers are named {draft.name}-ENVIRONMENT-{name}.")
    over = [source for one in _listed(taken.get("volumes")) if (source := _relative_source(one))] if "build" in taken else []
    if over:
        draft.remarks.append(mounts_over_build(name, over))
    before = len(draft.ports)
    ports = [_port(draft, name, port) for entry in _listed(keys.get("ports")) for port in _each(entry)]
    if ports:
        taken["ports"] = ports
    check = keys.get("healthcheck")
    if draft.probe is None and len(draft.ports) > before and isinstance(check, Mapping):
        draft.probe = probe_of(str(check.get("test")), list(draft.ports)[before])
    return taken


def _relative_source(mount: object) -> str | None:
    """Return whether a host path is relative to the file."""
    source = mount.get("source") if isinstance(mount, Mapping) else str(mount).partition(":")[0]
    return str(source) if str(source).startswith("./") or source in (".", "..") else None


def _listed(ports: object) -> list[Any]:
    value = ports.value if isinstance(ports, Tagged) and ports.tag != "reset" else ports
    return value if isinstance(value, list) else []


def mounts_over_build(name: str, sources: Iterable[str]) -> str:
    """Return the remark on directories of the checkout that are mounted into a built service."""
    shown = ", ".join(sources)
    return f"{name}: {shown} of this checkout is mounted into the container, so the image does not contain all that runs."


def _each(port: object) -> Iterator[object]:
    """Split a published range into its ports: each environment needs other ones."""
    match = _RANGE.fullmatch(str(port)) if isinstance(port, str) else None
    published, targets = ([range(int(match[i]), int(match[i + 1]) + 1) for i in (2, 4)]) if match else ((), ())
    if match is None or len(published) != len(targets) or not 0 < len(published) <= _LONGEST_RANGE:
        yield port
        return
    yield from (f"{match[1] or ''}{one}:{other}{match[6] or ''}" for one, other in zip(published, targets, strict=True))


def _port(draft: PipelineDraft, service: str, port: object) -> object:
    """Replace a published port by a variable; a port that the engine chooses stays as it is."""
    if isinstance(port, Mapping):
        published = str(port.get("published") or "")
        path = ("services", service, "ports")
        return {**port, "published": variable(draft, service, published)} if published.isdigit() else templated(port, path)
    text = templated(str(port), ("services", service, "ports"))
    match = _SHORT_PORT.fullmatch(text)
    return _publish(draft, service, match[1], match[2], match[3]) if match else text


def _publish(draft: PipelineDraft, service: str, host: str | None, published: str, target: str) -> str:
    return f"{f'{host}:' if host else ''}{variable(draft, service, published)}:{target}"


def variable(draft: PipelineDraft, service: str, was: str) -> str:
    earlier = next((name for name, (owner, port) in draft.owners.items() if (owner, port) == (service, was)), None)
    if earlier is not None:
        return f"{{{{ {earlier} }}}}"
    stem = "port" if service == draft.name else re.sub(r"\W", "_", service) + "_port"
    stem = stem if stem[0].isalpha() else f"p_{stem}"
    count = sum(name == stem or name.startswith(f"{stem}_") for name in draft.ports)
    name = stem if not count else f"{stem}_{count + 1}"
    draft.ports[name] = was
    draft.owners[name] = (service, was)
    return f"{{{{ {name} }}}}"


def _secret(draft: PipelineDraft, name: str, value: object) -> object:
    if isinstance(value, Mapping) and "environment" in value:
        return {"env": value["environment"]}
    if isinstance(value, Mapping) and "file" in value:
        return {"file": value["file"]}
    draft.remarks.append(f"secret {name}: write where its value is: {{env: VARIABLE}}, {{file: path}} or {{command: [...]}}.")
    return {"env": re.sub(r"\W", "_", name).upper()}


def probe_of(check: str, port: str) -> tuple[str, str] | None:
    found = _URL.search(check)
    return (port, found[1] or "/") if found else None


def _exposed(dockerfile: str) -> list[str]:
    words = [word for instruction, rest in _instructions(dockerfile) if instruction == "EXPOSE" for word in rest.split()]
    return list(dict.fromkeys(word.removesuffix("/tcp") for word in words if re.fullmatch(r"\d+(/tcp|/udp)?", word)))


def _instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Read the last stage of a Dockerfile, which defines the image."""
    joined = re.sub(r"\\[ \t]*\n", " ", re.sub(r"(?m)^\s*#.*\n?", "", dockerfile))
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    start = max((i for i, line in enumerate(lines) if line.upper().startswith("FROM ")), default=0)
    for line in lines[start:]:
        word, _, rest = line.partition(" ")
        yield word.upper(), rest.strip()
