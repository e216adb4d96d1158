"""Load a pipeline file: `load` reads it, `validate` also finds every error that can be found before a run."""

import json
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from promoter.config.regular_file import read_regular
from promoter.config.yaml.reader import read_document
from promoter.model.errors import CallerError, Diagnostic
from promoter.model.release import Release, Source
from promoter.pipeline.builds import read_builds
from promoter.pipeline.compose.service import Service
from promoter.pipeline.document import read_file_text
from promoter.pipeline.file_text import FileText, NamedFiles, no_files
from promoter.pipeline.front import FRONT, with_front
from promoter.pipeline.front_image import front_image
from promoter.pipeline.loader_port import PolicyAt, Snapshot
from promoter.pipeline.local_files import NO_CHECKOUT, Checkout, local_digest
from promoter.pipeline.model import NO_RELEASE, BuilderChoice, BuiltService, Environment, Pipeline
from promoter.pipeline.policy import Policy, protected_policy
from promoter.pipeline.resolver import Resolver

Snapshots = Callable[[Path, str], Snapshot]


class LoadedPipeline:
    """A parsed file. Environments are filled in on demand; `check` fills in all of them and applies every rule."""

    def __init__(self, text: FileText, snapshot: Snapshots | None = None) -> None:
        self._text, self._snapshot = text, snapshot
        self._policies: dict[tuple[str, str, str], Policy] = {}

    @cached_property
    def pipeline(self) -> Pipeline:
        text = self._text
        return Pipeline(
            name=text.head.name,
            file=text.path,
            ledger=text.head.ledger,
            policy_ref=text.head.policy.ref if text.head.policy else None,
            approvers=None if text.head.approvers is None else text.directory / text.head.approvers,
            trust=text.trust,
            roles=text.roles,
            people=text.people,
            secrets=text.secrets,
            builder=BuilderChoice(text.head.builder),
            drift_ignore=text.head.drift.ignore if text.head.drift else (),
            needs={name: environment.needs for name, environment in text.environments.items()},
        )

    def resolve(self, environment: str, source: Source, release_id: str | None) -> Environment:
        """Resolve one environment for one source and release. Raise InvalidFile, or CallerError for an unknown name."""
        if environment not in self._text.environments:
            known = ", ".join(self._text.environments)
            raise CallerError(f"unknown environment {environment}", hint=f"{self._text.path.name} has: {known}")
        resolved = Resolver(self._text, release_id, source).resolve(environment)
        self._text.complaints.raise_if_any()
        return with_front(resolved.environment, self._text.head.name)

    def complaint(self, environment: str, message: str, hint: str | None = None) -> Diagnostic:
        """Return a diagnostic about an environment, at its line in the file."""
        spot = self._text.environments[environment].spot
        return spot.document.complaint(spot.document.position(spot.path, of_key=True), message, hint)

    def url(self, environment: str, release: Release) -> str | None:
        """Return the address of a release in an environment. Raise as `resolve` does."""
        return self.resolve(environment, release.source, release.id).address

    def policy_at(self, ref: str, environment: str, source: Source, release_id: str) -> PolicyAt:
        """Return the policy of the file at a git ref. Raise CallerError if it cannot be read."""
        assert self._snapshot is not None
        snapshot = self._snapshot(self._text.directory, ref)
        key = (snapshot.commit, environment, release_id)
        if key not in self._policies:
            self._policies[key] = self._policy_in(snapshot, ref, environment, source, release_id)
        return PolicyAt(snapshot.commit, self._policies[key])

    def _policy_in(self, snapshot: Snapshot, ref: str, environment: str, source: Source, release_id: str) -> Policy:
        name, shown = self._text.path.name, f"{ref}:{self._text.path.name}"
        try:
            document = read_document(snapshot.read(self._text.path), shown)
        except FileNotFoundError as error:
            raise CallerError(f"{ref} has no {name}", hint=f"merge the pipeline file into {ref} first") from error
        text = read_file_text(self._text.path, document, self._text.environ, self._text.source, snapshot.read, snapshot.files)
        if environment not in text.environments:
            raise CallerError(f"{name} has no environment {environment} at {ref}", hint=f"merge it into {ref} first")
        rules = Resolver(text, release_id, source).rules(environment)
        text.complaints.raise_if_any()
        return protected_policy(LoadedPipeline(text).pipeline, rules)

    def file_digest(self, path: str, *, read_only: bool) -> str | None:
        """Return the digest of a file or folder beside the pipeline file, as plans record it; None if it cannot be read."""
        return local_digest(Path(os.path.normpath(self._text.directory / path)), self._text.checkout, read_only=read_only)

    def builds(self, source: Source) -> Mapping[str, BuiltService]:
        """Return how the image of each service is made. Raise InvalidFile."""
        builds = read_builds(self._text, source)
        image = front_image(self._text, Resolver(self._text, None, source))
        self._text.complaints.raise_if_any()
        return builds if image is None else {**builds, FRONT: image}

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        """Return what was left out so far. It does not prevent a run."""
        return self._text.complaints.remarks

    @property
    def reads_variables(self) -> bool:
        """Return whether a template calls `env`, or a Compose file contains a `$`."""
        stacks = self._text.layers.values()
        others = {id(d): d for stack in stacks for layer in stack.layers if (d := layer.spot.document) is not self._text.document}
        return "env(" in self._text.document.text or any("$" in d.text or "env(" in d.text for d in others.values())

    def check(self) -> None:
        """Check the whole file. Raise InvalidFile with every error."""
        from promoter.pipeline.validation.rules import check_rules
        from promoter.pipeline.validation.volumes import remark_volumes

        builds = read_builds(self._text)
        resolver = Resolver(self._text, NO_RELEASE)
        front_image(self._text, resolver)
        environments = [resolver.resolve(name) for name in self._text.environments]
        check_rules(self._text, environments)
        remark_volumes(self._text, environments, builds)
        self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raise InvalidFile with the errors that were found so far."""
        self._text.complaints.raise_if_any()


def load(
    path: Path,
    *,
    source: Source | Callable[[], Source],
    environ: Mapping[str, str],
    snapshot: Snapshots | None = None,
    files: NamedFiles = no_files,
    checkout: Checkout = NO_CHECKOUT,
) -> LoadedPipeline:
    """Read what is the same for all environments. Call `source` only if a template uses it. Raise InvalidFile."""
    loaded = _read(path, source, environ, snapshot, files, checkout)
    loaded.raise_if_any()
    return loaded


def validate(
    path: Path, *, source: Source | Callable[[], Source], environ: Mapping[str, str], checkout: Checkout = NO_CHECKOUT
) -> LoadedPipeline:
    """Read and check everything. Raise InvalidFile with all diagnostics, in the order of the text."""
    loaded = _read(path, source, environ, checkout=checkout)
    loaded.check()
    return loaded


def _read(
    path: Path,
    source: Source | Callable[[], Source],
    environ: Mapping[str, str],
    snapshot: Snapshots | None = None,
    files: NamedFiles = no_files,
    checkout: Checkout = NO_CHECKOUT,
) -> LoadedPipeline:
    path = Path(path)
    try:
        data = read_regular(path)
    except FileNotFoundError as error:
        raise CallerError(
            f"pipeline file {path} not found", hint="run `promoter init` to write one, or name another with -f"
        ) from error
    except OSError as error:
        raise CallerError(f"cannot read {path}: {(error.strerror or str(error)).lower()}", hint="name a file with -f") from error
    document = read_document(data, str(path))
    ask = _once(source) if callable(source) else lambda: source
    return LoadedPipeline(read_file_text(path.absolute(), document, environ, ask, read_regular, files, checkout), snapshot)


def compose_services(
    directory: Path, files: tuple[str, ...], environ: Mapping[str, str], name: str
) -> tuple[Mapping[str, Service], frozenset[str]]:
    """Read Compose files as far as possible, and which images are built, before there is a pipeline file."""
    data = json.dumps({"name": name, "services": list(files), "profiles": ["*"], "environments": {"x": {}}}).encode()
    document = read_document(data, "pipeline.yaml")
    text = read_file_text(directory / "pipeline.yaml", document, environ, Source, read_regular)
    services = Resolver(text, NO_RELEASE, Source()).resolve("x").environment.services
    return services, frozenset(name for name, stack in text.layers.items() if stack.raw.get("build") is not None)


def _once(source: Callable[[], Source]) -> Callable[[], Source]:
    known: list[Source] = []

    def ask() -> Source:
        if not known:
            known.append(source())
        return known[0]

    return ask
