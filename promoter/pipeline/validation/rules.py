"""Rules for the whole file: the order of environments, and their conflicts on one engine."""

from collections.abc import Iterator, Sequence

from promoter.model.addresses import EVERY_ADDRESS
from promoter.pipeline.compose.ports import clash, read_ports
from promoter.pipeline.compose.service import Port
from promoter.pipeline.dag import Upstream, find_cycle
from promoter.pipeline.file_text import FileText
from promoter.pipeline.people import check_names
from promoter.pipeline.problems import Spot
from promoter.pipeline.resolver import Resolved
from promoter.pipeline.template_filler import Filler, templated
from promoter.pipeline.validation.gates import check_gates
from promoter.pipeline.validation.names import check_names as check_engine_names
from promoter.pipeline.validation.services import check_services


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
                    yield from ((resolved, engine, name, port) for port in service.ports if port.published is not None)


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
        where = "the default engine" if engine is None else engine
        resolved.filler.complain(
            port_spot(text, resolved, name, port),
            f"host port {port.published} of {where} is already used by {holder}",
            "give each environment its own port: a variable under `vars`",
        )


def port_spot(text: FileText, resolved: Resolved, service: str, port: Port) -> Spot:
    """Return the position of `port` in `ports`."""
    override = resolved.text.layers.get(service)
    for layer in (override, *reversed(text.layers[service].layers)):
        entries = layer.raw.get("ports") if layer else None
        for index, entry in enumerate(entries if isinstance(entries, list) else ()):
            assert layer is not None
            spot = layer.spot / "ports" / index
            if _names_port(entry, port, resolved.filler, spot):
                return spot
    return text.layers[service].spot_of("ports") / "ports"


def _names_port(entry: object, port: Port, filler: Filler, spot: Spot) -> bool:
    filled = filler.fill(entry, spot)[0] if templated(entry) else entry
    try:
        ports = read_ports([filled])
    except ValueError:
        return False
    assert isinstance(ports, list)
    wanted = (str(port.published), str(port.target), port.host_ip)
    mappings = (p for p in ports if isinstance(p, dict))
    return any((str(p.get("published")), str(p.get("target")), p.get("host_ip")) == wanted for p in mappings)
