"""A first pipeline file for services that stay in Compose files. Pure.

They stay there if there are several files, includes, or a `.env`, whose values may be secret and are
not copied. Each environment overrides what several copies cannot share: host ports and names of containers.
"""

from collections.abc import Mapping
from pathlib import Path

from promoter.config.yaml.scalars import Tagged
from promoter.pipeline.compose.service import Port, Service
from promoter.pipeline.scaffold.importer import PipelineDraft, mounts_over_build, name_from, probe_of, variable


def from_services(
    services: Mapping[str, Service], files: tuple[str, ...], built: frozenset[str], name: str, why: str, directory: Path
) -> PipelineDraft:
    """Write the reference. `services` are those of the files, filled in; `built` are those with a build."""
    draft = PipelineDraft(name, files=files)
    draft.path = f"/{name}"
    draft.remarks.append(f"The services stay in {', '.join(files)}: {why}.")
    for service, written in services.items():
        before = len(draft.ports)
        override = _override(draft, service, written, built=service in built)
        if override:
            draft.overrides[service] = override
        test = written.healthcheck.test if written.healthcheck else None
        if draft.probe is None and len(draft.ports) > before and test:
            draft.probe = probe_of(" ".join(test), list(draft.ports)[before])
        over = [m.source for m in written.volumes if m.type == "bind" and m.source and Path(m.source).is_relative_to(directory)]
        if service in built and over:
            draft.remarks.append(mounts_over_build(service, [f"./{Path(one).relative_to(directory)}" for one in over]))
    return draft


def _override(draft: PipelineDraft, name: str, service: Service, *, built: bool) -> dict[str, object]:
    found: dict[str, object] = {}
    if any(port.published is not None for port in service.ports):
        found["ports"] = Tagged("override", [_port(draft, name, port) for port in service.ports])
    if service.container_name is not None:
        draft.remarks.append(f"{name}: container_name is left out; containers are named {draft.name}-ENVIRONMENT-{name}.")
        found["container_name"] = Tagged("reset", None)
    if built and service.init is None:
        found["init"] = True
    return found


def _port(draft: PipelineDraft, service: str, port: Port) -> str:
    target = f"{port.target}" + ("" if port.protocol == "tcp" else f"/{port.protocol}")
    if port.published is None:
        return target
    address = port.host_ip or ""
    host = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
    return f"{host}{variable(draft, service, str(port.published))}:{target}"


def named(written: str | None, directory: str, requested: str | None) -> str:
    """Return the pipeline's name: the requested one, or that of the Compose file, or that of the directory."""
    return requested or name_from(written or directory)
