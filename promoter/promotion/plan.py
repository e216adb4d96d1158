"""The plan of one promotion: what would be done, as plain data with a digest. Pure.

The digest covers image digests, resolved service configuration, target, names and keyed hashes of secrets, steps and
checks. It does not cover what runs there now nor the gates: approvals record those in addition.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter

from promoter.gates.checks import Check, ContainerCheck
from promoter.model.canonical_json import fingerprint
from promoter.model.dataclass import dataclass
from promoter.model.diff import Change, differences
from promoter.model.errors import CallerError
from promoter.model.images import ImageRef
from promoter.model.release import Release
from promoter.model.secrets import names_in
from promoter.pipeline.compose.service import Service
from promoter.pipeline.hosts import Host
from promoter.pipeline.model import Environment
from promoter.promotion.steps import Proof, Step, document

HashSecret = Callable[[str], str]
StepsOf = Callable[[Environment, Release], tuple[Step, ...]]
"""Returns the steps of the environment's rollout strategy. It is a parameter, because strategies import this module."""


@dataclass(frozen=True)
class Plan:
    """One release entering one environment. `secrets` maps names to keyed hashes."""

    pipeline: str
    environment: Environment
    release: Release
    secrets: Mapping[str, str]
    steps: tuple[Step, ...]
    recorded: Mapping[str, object] | None = None
    """The document from the ledger, if the plan was read from there instead of made from the file."""
    whole: "Plan | None" = None
    """The plan of all hosts, if this is the part of one host."""

    def on(self, host: Host) -> "Plan":
        """Return the part of one host. Its digest and its document are those of the whole plan."""
        return replace(self, environment=self.environment.on(host), whole=self.whole or self)

    @cached_property
    def images(self) -> Mapping[str, ImageRef]:
        """Return the release's images, in the repositories that this environment pulls from."""
        return images_for(self.environment, self.release)

    @cached_property
    def digest(self) -> str:
        return fingerprint(self.document()) if self.whole is None else self.whole.digest

    def document(self) -> dict[str, object]:
        """Return plain JSON data, as the `requested` fact records it."""
        if self.whole is not None:
            return self.whole.document()
        if self.recorded is not None:
            return dict(self.recorded)
        target = self.environment
        shown = {file.source: file.path for file in target.files}
        return {
            "pipeline": self.pipeline,
            "environment": target.name,
            "images": {name: str(ref) for name, ref in self.images.items()},
            "services": {name: _with_paths(configuration(service), shown) for name, service in target.services.items()},
            **({"files": {file.path: file.digest for file in target.files}} if target.files else {}),
            "contents": dict(target.contents),
            "networks": {name: _set(asdict(network)) for name, network in target.networks.items()},
            "volumes": {name: _set(asdict(volume)) for name, volume in target.volumes.items()},
            "target": [host.document() for host in target.hosts],
            **({"rollout": target.rollout.model_dump(mode="json")} if target.rollout else {}),
            "strategy": str(target.strategy),
            **({"front": target.front.model_dump(mode="json")} if target.front else {}),
            **({"swarm": target.swarm.model_dump(mode="json")} if target.swarm else {}),
            "on_failure": str(target.on_failure),
            "secrets": dict(self.secrets),
            "before": [_check(check) for check in target.before],
            "verify": [_check(check) for check in target.verify],
            "steps": [dict(document(step)) for step in self.steps],
        }


def make_plan(pipeline: str, environment: Environment, release: Release, hash_secret: HashSecret, steps_of: StepsOf) -> Plan:
    """Make the plan. Raise CallerError for what this version does not support, and for a service that the release lacks."""
    missing = [name for name in environment.services if name not in release.images]
    if missing:
        raise CallerError(
            f"release {release.short_id} has no image for {', '.join(missing)}",
            hint="the pipeline file has changed since: make a new release with `promoter run` or `promoter build`",
        )
    steps = steps_of(environment, release)
    secrets = {name: hash_secret(name) for name in secret_names(environment)}
    return Plan(pipeline, environment, release, secrets, steps)


def images_for(environment: Environment, release: Release) -> dict[str, ImageRef]:
    """Return each service's image: the release's digest, in the environment's own registry if it has one."""
    return {
        name: ImageRef(environment.target_repositories.get(name, release.images[name].repository), release.images[name].digest)
        for name in environment.services
    }


def secret_names(environment: Environment) -> tuple[str, ...]:
    """Return the names of all secrets in the environment's configuration, files and checks, sorted."""
    texts: list[object] = [service.document() for service in environment.services.values()]
    texts += [environment.contents, *(_check(check) for check in (*environment.before, *environment.verify))]
    texts += [gate.model_dump(mode="json", by_alias=True) for gate in environment.gates]
    return _names_in_all(texts)


def needed_secrets(
    environment: Environment, created: Collection[str], contents: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return the secrets needed to create these services and to run the checks. `contents` are the files to write; None: all."""
    services = [environment.services[name] for name in created]
    grants = [f"secret:{grant.source}" for service in services for grant in service.secrets]
    grants += [f"config:{grant.source}" for service in services for grant in service.configs]
    texts: list[object] = [service.document() for service in services]
    texts += [environment.contents.get(grant) for grant in grants] if contents is None else contents
    texts += [_check(check) for check in (*environment.before, *environment.verify)]
    return _names_in_all(texts)


def _names_in_all(texts: Iterable[object]) -> tuple[str, ...]:
    return tuple(sorted({name for text in texts for name in _names_inside(text)}))


def configuration(service: Service) -> dict[str, object]:
    """Return a service's configuration as plain data, without its image, which the release defines."""
    return {key: value for key, value in service.document().items() if key not in ("image", "build")}


def needed_before(environment: Environment) -> frozenset[str]:
    """Return the services that must run before the `before` jobs: the dependencies of the jobs' own services."""
    services = environment.services
    wanted = [check.service for check in environment.before if isinstance(check, ContainerCheck)]
    return frozenset(other for name in wanted for other in dependencies(services, name))


def dependencies(services: Mapping[str, Service], name: str) -> frozenset[str]:
    """Return the direct and indirect dependencies of `name` among `services`."""
    found: set[str] = set()
    ahead = [name] if name in services else []
    while ahead:
        others = [other for other in services[ahead.pop()].depends_on if other in services and other not in found]
        found.update(others)
        ahead += others
    return frozenset(found)


def waves(services: Mapping[str, Service]) -> tuple[tuple[str, ...], ...]:
    """Return services in the order of `depends_on`; those of one wave need only earlier waves."""
    sorter = TopologicalSorter({name: [d for d in s.depends_on if d in services] for name, s in services.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise CallerError(f"depends_on has a cycle: {', '.join(dict.fromkeys(error.args[1]))}") from None
    found = []
    while sorter.is_active():
        ready = frozenset(sorter.get_ready())
        found.append(tuple(name for name in services if name in ready))
        sorter.done(*ready)
    return tuple(found)


def changes(old: Mapping[str, object] | None, new: Mapping[str, object]) -> tuple[Change, ...]:
    """Return the differences between two plan documents. Without an old one, fields that are empty now are not listed."""
    after = _comparable(new)
    before = _comparable(old) if old else {key: value for key, value in after.items() if value in ({}, [])}
    return differences(before, after)


def _with_paths(config: dict[str, object], shown: Mapping[str, str]) -> dict[str, object]:
    """Write paths beside the pipeline file as relative ones, so that the plan is the same in every checkout."""
    mounts = config.get("volumes")
    if not shown or not isinstance(mounts, list):
        return config
    return {**config, "volumes": [{**mount, "source": shown.get(mount.get("source"), mount.get("source"))} for mount in mounts]}


def _check(check: Check) -> dict[str, object]:
    return {check.kind: check.model_dump(mode="json", by_alias=True, exclude_defaults=True)}


def _set(values: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if value not in (None, False, {}, ())}


def _names_inside(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return names_in(value)
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return tuple(name for item in items for name in _names_inside(item))


def _comparable(document: Mapping[str, object]) -> dict[str, object]:
    """Return the document without names, which are the same, and steps, which follow from the rest."""
    return {key: value for key, value in document.items() if key not in ("pipeline", "environment", "steps")}


def proof_of(plan: Plan, service: str) -> Proof:
    """Return how a service is proven: by its completion if another service waits for that, else by serving."""
    others = plan.environment.services.values()
    waited_for = (o.depends_on[service].condition for o in others if service in o.depends_on)
    return Proof.COMPLETED if "service_completed_successfully" in waited_for else Proof.SERVING
