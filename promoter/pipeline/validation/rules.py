"""Rules for the whole file: the order of environments, and their conflicts on one engine."""

from collections.abc import Iterator, Sequence

from promoter.model.addresses import EVERY_ADDRESS
from promoter.pipeline.compose.ports import clash
from promoter.pipeline.compose.service import Port
from promoter.pipeline.dag import Upstream, find_cycle
from promoter.pipeline.file_text import FileText
from promoter.pipeline.people import check_names
from promoter.pipeline.resolver import Resolved
from promoter.pipeline.validation.gates import check_gates
from promoter.pipeline.validation.names import check_names as check_engine_names
from promoter.pipeline.validation.services import check_services
from promoter.pipeline.validation.spots import port_spot


def check_rules(text: FileText, environments: Sequence[Resolved]) -> None:
    needs = {name: environment.needs for name, environment in text.environments.items()}
    cycle = find_cycle(needs)
    if cycle:
        spot = text.environments[cycle[0]].spot
        message = f"`needs` has a cycle: {' -> '.join((*cycle, cycle[0]))}"
        at = spot / "needs"
        text.complaints.add(at if at.exists else spot, message, "remove one of these `needs`")
    upstream = Upstream(needs)
    for resolved in environments:
        check_services(text, resolved)
        check_gates(text, resolved, upstream)
    _check_people(text)
    _check_ports(text, environments)
    check_engine_names(text, environments)


def _check_people(text: FileText) -> None:
    for role, people in text.roles.items():
        for index, name in enumerate(people):
            check_names(name, text.spot("roles", role, index), text.people, text.complaints)
    for name in text.signers or ():
        check_names(name, text.spot("approvers"), text.people, text.complaints)


def _published(environments: Sequence[Resolved]) -> Iterator[tuple[Resolved, str | None, str, Port]]:
    for resolved in environments:
        for engine in resolved.environment.engines:
            for name, service in resolved.environment.services.items():
                if service.replicas:
                    yield from ((resolved, engine, name, port) for port in service.ports if _is_fixed(resolved, port))


def _is_fixed(resolved: Resolved, port: Port) -> bool:
    """Return whether a port is taken on the engine: in a swarm, `mode: host` takes it only where the task runs."""
    return port.published is not None and (resolved.environment.swarm is None or port.mode == "ingress")


def _check_ports(text: FileText, environments: Sequence[Resolved]) -> None:
    """Check that no two containers use one port of one host."""
    taken: dict[tuple[str | None, str, int | None], dict[str, str]] = {}
    for resolved, engine, name, port in _published(environments):
        holders = taken.setdefault((engine, port.protocol, port.published), {})
        address = port.host_ip or EVERY_ADDRESS
        holder = next((who for other, who in holders.items() if clash(address, other)), None)
        if holder is None:
            holders[address] = f"{name} in {resolved.environment.name}"
            continue
        only = resolved.environment.hosts[0]
        where = only.shown if only.managers else engine or "the default engine"
        resolved.filler.complain(
            port_spot(text, resolved, name, port),
            f"host port {port.published} of {where} is already used by {holder}",
            "give each environment its own port: a variable under `vars`",
        )
