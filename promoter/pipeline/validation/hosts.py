"""Rules for environments with several hosts."""

from promoter.pipeline.compose.service import Service
from promoter.pipeline.engine_names import service_spot
from promoter.pipeline.file_text import FileText
from promoter.pipeline.front import is_behind
from promoter.pipeline.placement import allows, is_constraint
from promoter.pipeline.resolver import Resolved


def check_hosts(text: FileText, resolved: Resolved) -> None:
    """Report hosts with the same name or address, and a `rollout` that has no effect or allows all hosts to fail."""
    environment, spot = resolved.environment, resolved.text.spot
    names: dict[str, int] = {}
    engines: dict[str | None, int] = {}
    for index, host in enumerate(environment.hosts):
        first, same = names.setdefault(host.name, index), engines.setdefault(host.engine, index)
        if same != index:
            message = f"host {index + 1} has the same engine as host {same + 1}: {host.engine}"
            resolved.filler.complain(spot / "engine" / index, message, "remove one of them")
        elif first != index:
            message = f"hosts {first + 1} and {index + 1} have the same name: {host.name}"
            hint = f"give each a name: {{name: {host.name}-{index + 1}, engine: {host.engine}}}"
            resolved.filler.complain(spot / "engine" / index, message, hint)
    if environment.hosts[0].name:
        for name, service in environment.services.items():
            _check_placement(text, resolved, name, service)
    at = spot / "rollout"
    if not at.exists:
        return
    written = resolved.text.raw.get("engine")
    if len(environment.hosts) == 1 and isinstance(written, list) and len(written) > 1:
        return  # the hosts could not be read, which is reported already
    if len(environment.hosts) == 1:
        message = "`rollout` has no effect: the environment has one host"
        resolved.filler.complain(at, message, "remove it, or name several hosts in `engine`", on_key=True)
    elif environment.rollout is not None and environment.rollout.max_failures >= len(environment.hosts):
        message = f"`max_failures` must be smaller than the number of hosts, {len(environment.hosts)}"
        resolved.filler.complain(at / "max_failures", message, "write how many hosts may fail without a rollback of the others")


def _check_placement(text: FileText, resolved: Resolved, name: str, service: Service) -> None:
    """Report a service that runs nowhere, or without a service that it needs on the same host."""
    environment, constraints = resolved.environment, service.deploy.placement.constraints
    spot = service_spot(text, resolved.text, name, "deploy") / "deploy" / "placement"
    wrong = [one for one in constraints if not is_constraint(one)]
    for one in wrong:
        hint = "write node.hostname == NAME or node.labels.KEY == VALUE, or != instead of =="
        resolved.filler.complain(spot, f"`{one}` is not a constraint that promoter can decide", hint)
    if wrong:
        return
    allowed = [host for host in environment.hosts if allows(constraints, host)]
    if not allowed:
        message = f"no host of {environment.name} fulfils the placement of `{name}`"
        resolved.filler.complain(spot, message, "give a host this label or name, or change the constraint")
    if environment.front is not None and is_behind(service) and len(allowed) < len(environment.hosts):
        message = f"`{name}` is behind a front, which runs on every host, but its placement leaves out hosts"
        resolved.filler.complain(spot, message, "remove the placement, or use recreate")
    for other in service.depends_on:
        needed = environment.services.get(other)
        missing = [host.name for host in allowed if needed and not allows(needed.deploy.placement.constraints, host)]
        if missing:
            at = service_spot(text, resolved.text, name, "depends_on") / "depends_on"
            message = f"`{name}` runs on {', '.join(missing)}, where `{other}` does not run"
            resolved.filler.complain(at.entry(other), message, "hosts share no network: give both the same placement")
