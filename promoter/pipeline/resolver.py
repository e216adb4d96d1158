"""Resolve one environment: variables, services with overrides, gates and checks, names on the engine."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from promoter.config.templates.render import is_template, render_value
from promoter.config.templates.scope import RESERVED, Scope, TemplateFault
from promoter.gates.checks import CHECKS, Check, CommandCheck
from promoter.gates.registry import GATES, Gate
from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError
from promoter.model.images import BadReference, Repository
from promoter.model.pattern import pattern
from promoter.model.release import Source
from promoter.model.secrets import OPENING, CommandSource, FileSource, names_in
from promoter.pipeline.builds import names_registry
from promoter.pipeline.compose.implied import apply_implied
from promoter.pipeline.compose.merge import merge
from promoter.pipeline.compose.service import Service
from promoter.pipeline.document import check_registry
from promoter.pipeline.engine_names import Placing, service_spot
from promoter.pipeline.file_text import NO_RELEASE, EnvironmentText, FileText
from promoter.pipeline.front_spec import FrontForm
from promoter.pipeline.gate_files import with_files
from promoter.pipeline.gate_list import G, check_reversible, check_services, read_kinds
from promoter.pipeline.hosts import Rollout, named, swarm
from promoter.pipeline.local_files import local_files
from promoter.pipeline.model import Environment, LocalFile, OnFailure, Rules, Strategy
from promoter.pipeline.mounted_files import Files, apply_env_files, apply_label_files
from promoter.pipeline.networks_volumes import Names, overlays
from promoter.pipeline.problems import Spot
from promoter.pipeline.spec import FRONTED, Settings
from promoter.pipeline.strategy_options import front_of, swarm_of
from promoter.pipeline.swarm_only import unscheduled
from promoter.pipeline.template_filler import Filler, is_map

_IDENTIFIER = pattern(r"[A-Za-z_][A-Za-z0-9_]*")
_DECLARE = "declare it under `vars` of the environment"


@dataclass(frozen=True)
class Resolved:
    """An environment with the positions of its gates and checks. `filler` is for rules that need the text again."""

    environment: Environment
    text: EnvironmentText
    gates: Sequence[tuple[Gate, Spot]]
    filler: Filler


class Resolver:
    """Resolves the environments of one file for one source and release."""

    def __init__(self, text: FileText, release: str | None, source: Source | None = None) -> None:
        self.text, self._release = text, release
        self._source = text.source if source is None else lambda: source
        self._files = Files(text.environ, text.read)

    def resolve(self, name: str) -> Resolved:
        """Resolve an environment as far as possible. Report what is wrong, and leave it out."""
        environment = self.text.environments[name]
        filler = Filler(self._scope(environment), self.text.complaints, name)
        settings = self._settings(environment, filler)
        self._remark(environment)
        written = apply_implied({service: self._written(service, environment, filler) for service in environment.services})
        names = Names(f"{self.text.head.name}-{name}")
        placing = Placing(self.text, environment, names, filler, self._files, written)
        scheduled = swarm_of(settings, environment.spot, filler)
        hosts = named(settings.engine)
        services = {service: placing.service(service, canonical) for service, canonical in written.items()}
        if scheduled is not None:
            hosts = (swarm([host.engine for host in hosts]),)
        else:
            services = unscheduled(services, self.text, environment, named_hosts=bool(hosts[0].name))
        spot = environment.spot
        before = self._read_gates(environment, "before", CHECKS, "check", filler)
        verify = self._read_gates(environment, "verify", CHECKS, "check", filler)
        gates = self._read_gates(environment, "gates", GATES, "gate", filler)
        placing.need_default_network(found for found, _ in (*before, *verify, *gates))
        made = Environment(
            name=name,
            needs=environment.needs,
            registry=settings.registry or self.text.head.registry,
            hosts=hosts,
            services={service: made for service, made in services.items() if made is not None},
            contents=dict(sorted(placing.contents.items())),
            networks=placing.networks if scheduled is None else overlays(placing.networks),
            volumes=placing.volumes,
            before=tuple(check for check, _ in before),
            verify=tuple(check for check, _ in verify),
            gates=tuple(gate for gate, _ in gates),
            target_repositories=self._target_repositories(settings, filler),
            strategy=Strategy(next(iter(settings.strategy))),
            front=front_of(settings, environment.spot, filler),
            swarm=scheduled,
            on_failure=OnFailure(settings.on_failure),
            rollout=(settings.rollout or Rollout()) if hosts[0].name else None,
            rollback=settings.rollback,
            override=settings.override,
            deciding=self._deciding(gates),
            prefetch=settings.prefetch,
            url=settings.url,
            files=self._local_files(services.values(), [check for check, _ in (*before, *verify)], spot, filler),
        )
        return Resolved(made, environment, gates, filler)

    def _local_files(
        self, services: Iterable[Service | None], checks: Sequence[Check], spot: Spot, filler: Filler
    ) -> tuple[LocalFile, ...]:
        there = [service for service in services if service is not None]
        try:
            return local_files(self.text.directory, there, checks, self.text.checkout)
        except CallerError as error:
            filler.complain(spot, error.message, error.hint, on_key=True)
            return ()

    def front_image(self, name: str) -> str | None:
        """Return the image of the environment's front; None if its strategy has no front."""
        environment = self.text.environments[name]
        settings = self._settings(environment, Filler(self._scope(environment), self.text.complaints, name))
        return (settings.front or FrontForm()).image if next(iter(settings.strategy)) in FRONTED else None

    def rules(self, name: str) -> Rules:
        """Resolve only the rules for who may enter, without what runs there."""
        environment = self.text.environments[name]
        filler = Filler(self._scope(environment), self.text.complaints, name)
        settings = self._settings(environment, filler)
        gates = self._read_gates(environment, "gates", GATES, "gate", filler)
        rules = tuple(gate for gate, _ in gates)
        return Rules(name, rules, settings.rollback, settings.override, self._deciding(gates))

    def _deciding(self, gates: Sequence[tuple[Gate, Spot]]) -> Mapping[str, str]:
        """Return the programs of the repository that gates run, and the files of their secrets."""
        words: list[str] = []
        for gate, _ in gates:
            words += gate.run if isinstance(gate, CommandCheck) else ()
            for secret in names_in(gate.model_dump_json()):
                match self.text.secrets.get(secret):
                    case CommandSource() as source:
                        words += source.argv
                    case FileSource() as source:
                        words.append(source.path)
        return self.text.files(self.text.directory, words) if words else {}

    def _read_gates(
        self, environment: EnvironmentText, key: str, kinds: Mapping[str, type[G]], word: str, filler: Filler
    ) -> list[tuple[G, Spot]]:
        found = read_kinds(environment.raw.get(key), environment.spot / key, kinds, word, filler)
        check_services(found, environment.services, filler)
        check_reversible(found, key, filler)
        return with_files(found, self.text.directory, self._files, filler)

    def _target_repositories(self, settings: Settings, filler: Filler) -> dict[str, Repository]:
        """Return repositories in the environment's registry, for images that name no registry."""
        found: dict[str, Repository] = {}
        if settings.registry is None:
            return found
        for name in self.text.used:
            layer = self.text.layers[name]
            path = layer.image_keys(filler).get("image") or f"{self.text.head.name}/{name.lower()}"
            if layer.raw.get("build") is not None and not names_registry(path):
                with suppress(BadReference):  # reported where builds are read
                    found[name] = Repository.parse(f"{settings.registry}/{path}")
        return found

    def _scope(self, environment: EnvironmentText) -> Scope:
        text, spot = self.text, environment.spot / "vars"
        raw_vars = environment.raw.get("vars")
        is_map(raw_vars, spot, text.complaints, "`vars`", environment.name)
        raw = raw_vars if isinstance(raw_vars, dict) else {}
        circular = {name: f"`{name}` is a variable too, and variables cannot use other variables" for name in raw}
        outer = self._scope_with(environment, {}, circular)
        filler = Filler(outer, text.complaints, environment.name)
        known = {}
        for name, value in raw.items():
            if not _IDENTIFIER.fullmatch(name) or name in RESERVED:
                why = "this name is reserved" if name in RESERVED else "use letters, digits and _"
                filler.complain(spot / name, f"`{name}` is not a valid variable name", why, on_key=True)
            known[name] = self._variable(value, spot / name, filler)
        return self._scope_with(environment, known, {})

    def _scope_with(self, environment: EnvironmentText, known: Mapping[str, object], absent: Mapping[str, str]) -> Scope:
        if self._release is None:
            absent = {**absent, "release": NO_RELEASE}
        secrets = frozenset(self.text.secrets)
        return Scope(self._source, self.text.environ, secrets, known, environment.name, self._release, absent, _DECLARE)

    @staticmethod
    def _variable(value: object, spot: Spot, filler: Filler) -> object:
        if not isinstance(value, str) or not is_template(value):
            return filler.fill(value, spot)[0]
        try:
            return render_value(value, filler.scope)
        except TemplateFault as fault:
            filler.complain(spot, fault.message, fault.hint)
            return ""

    def _settings(self, environment: EnvironmentText, filler: Filler) -> Settings:
        settings = Settings()
        for key in Settings.model_fields:
            value, spot = environment.raw.get(key), environment.spot / key
            if value is None:
                continue
            read = filler.read(Settings, {key: value}, environment.spot)
            if read is None:
                continue
            settings = settings.model_copy(update={key: getattr(read, key)})
            if any(OPENING in text for text in (read.registry or "", *(one.engine for one in read.engine))):
                filler.complain(
                    spot, f"`{key}` cannot contain a secret", "write only the address; credentials come from the docker CLI"
                )
            if OPENING in (read.url or ""):
                filler.complain(
                    spot, "`url` cannot contain a secret", "remove it; the address is shown to everyone who sees the result"
                )
        if settings.registry is not None:
            check_registry(settings.registry, environment.spot / "registry", filler)
        return settings

    def _written(self, service: str, environment: EnvironmentText, filler: Filler) -> dict[str, Any]:
        shared, override = self.text.layers[service], environment.layers.get(service)
        canonical = shared.canonical(filler)
        if override is not None:
            canonical = merge(canonical, override.canonical(filler), override.marks)
        spot = service_spot(self.text, environment, service, "env_file")
        canonical = apply_env_files(canonical, self._files, spot, filler)
        spot = service_spot(self.text, environment, service, "label_file")
        return apply_label_files(canonical, self._files, spot, filler)

    def _remark(self, environment: EnvironmentText) -> None:
        """Report services that profiles leave out, and links, which other keys replace."""
        for name, stack in self.text.layers.items():
            if name not in environment.services:
                message = f"service `{name}` is left out: none of its profiles ({', '.join(stack.profiles)}) is selected"
                self.text.complaints.remark(stack.spot, message, on_key=True, environment=environment.name)
            elif stack.raw.get("links"):
                message = "`links` is left out: services reach each other by name; the linked services start first"
                spot = stack.spot_of("links") / "links"
                self.text.complaints.remark(spot, message, on_key=True, environment=environment.name)
