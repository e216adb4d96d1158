"""Ask engine and registry, and compare the answers with the record. It reads only: its ports have no other methods."""

from collections.abc import Callable
from dataclasses import field, replace

from promoter.model.dataclass import dataclass
from promoter.model.errors import DigestMismatch, EngineError, NotInRegistry, RegistryError, SecretError
from promoter.model.findings import Finding
from promoter.model.images import Digest, ImageRef, Reference
from promoter.model.secrets import names_in
from promoter.promotion.inspection.container_findings import (
    configuration,
    digest_finding,
    state_findings,
    unrecorded_findings,
)
from promoter.promotion.inspection.front import NOT_COMPARED, front_findings, front_states
from promoter.promotion.inspection.image_findings import (
    file_finding,
    identities,
    manifest_gone,
    other_bytes,
    secret_findings,
    tag_finding,
)
from promoter.promotion.inspection.record import Record, Replica, replicas_of, unrecorded, wanted_names
from promoter.promotion.ports.observation import EngineView, RegistryView
from promoter.promotion.ports.registry import Manifest
from promoter.promotion.ports.secrets import Secrets

FileDigest = Callable[[str, bool], str | None]
"""Returns the digest of a file beside the pipeline file; the second parameter says whether it is mounted read-only."""
NEVER_COMPARED = (
    "files inside containers, except the files that are mounted from here",
    "options of networks, volumes and mounts",
)


@dataclass
class Comparison:
    """The result for one environment. `unknown` has a reason for each part that could not be asked."""

    findings: list[Finding] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class Comparer:
    """Compares environments. Answers of the registry are kept: environments often have the same images."""

    def __init__(self, registry: RegistryView, secrets: Secrets, salt: str | None, file_digest: FileDigest) -> None:
        self._registry, self._secrets, self._salt, self._file_digest = registry, secrets, salt, file_digest
        self._manifests: dict[ImageRef, Manifest | None] = {}

    def compare(self, record: Record, engine: EngineView, recorded_engine: str | None) -> Comparison:
        """Compare one environment. Another engine than the recorded one, if any, is not compared.

        Raise no error of engine, registry or secrets.
        """
        result = Comparison(not_compared=list(NEVER_COMPARED))
        hashes = self._secrets_now(record, result)
        same = frozenset(name for name, value in hashes.items() if record.plan.secrets[name] == value)
        result.findings += secret_findings(record, hashes)
        for service in record.deployment.services:
            if service in record.plan.images:
                self._images(record, service, result)
        try:
            _require_engine(engine, recorded_engine)
            self._containers(record, engine, same, result)
        except EngineError as error:
            result.unknown.append(f"the engine could not be asked: {error.message}")
            result.not_compared.append("containers")
        result.findings = [self._redacted(finding) for finding in result.findings]
        return result

    # ------------------------------------------------------------ engine
    def _containers(self, record: Record, engine: EngineView, same: frozenset[str], result: Comparison) -> None:
        labelled = engine.find(record.namespace.labels)
        others = {name: engine.inspect(name) for name in wanted_names(record, labelled)}
        by_name = {name: container for name, container in others.items() if container is not None and not container.gone}
        replicas = replicas_of(record, labelled, by_name)
        for replica in replicas:
            result.findings += state_findings(record, replica)
            if replica.found is not None:
                self._container(record, engine, replica, same, result)
        result.findings += unrecorded_findings(record, unrecorded(record, labelled, replicas))
        if record.plan.environment.front is not None:
            known = front_states(engine, replicas)
            result.findings += front_findings(record, replicas, known) if known is not None else ()
            result.not_compared += [NOT_COMPARED] if known is None else []

    def _container(self, record: Record, engine: EngineView, replica: Replica, same: frozenset[str], result: Comparison) -> None:
        assert replica.found is not None
        seen = engine.observe(replica.found.id, record.spec(replica.service, replica.slot.name))
        if seen is None:
            result.unknown.append(f"container {replica.found.name} was removed during the comparison")
            return
        image, recorded = record.plan.images[replica.service], record.deployment.services[replica.service].digest
        known = identities(image.digest, self._known(image))
        known |= {Digest.parse(recorded)} if recorded else set()
        if not seen.digests & known:
            known |= self._platforms(image)
        finding = digest_finding(record, replica, seen, known)
        if finding is not None and image not in self._manifests:
            result.not_compared.append(
                f"{replica.service}: the image of {replica.found.name}, because the registry was not asked"
            )
        elif finding is not None:
            result.findings.append(finding)
        reveal = self._reveal(same)
        compared = configuration(replica, seen, reveal, record.relative_mounts(replica.service))
        result.findings += compared.findings
        result.not_compared += compared.not_compared
        self._files(record, engine, replica, result)

    def _files(self, record: Record, engine: EngineView, replica: Replica, result: Comparison) -> None:
        """Compare the files beside the pipeline file that the container mounts, if it mounts those of this checkout."""
        config = record.plan.environment.services[replica.service]
        assert replica.found is not None
        if (config.secrets or config.configs) and record.plan.environment.swarm is None:
            result.not_compared.append(f"{replica.service}: the content of its secrets and configs")
        for mount in config.volumes:
            for file in record.plan.environment.files:
                if file.source != mount.source or file.digest is None:
                    continue
                if not engine.address.startswith("unix://"):
                    result.not_compared.append(f"{replica.service}: {file.path}, because the engine is on another machine")
                elif self._file_digest(file.path, mount.read_only) != file.digest:
                    result.findings.append(file_finding(replica.service, replica.found.name, file.path))

    # ------------------------------------------------------------ registry
    def _images(self, record: Record, service: str, result: Comparison) -> None:
        image = record.plan.images[service]
        try:
            if image not in self._manifests:
                self._manifests[image] = self._registry.manifest(image)
            if self._manifests[image] is None:
                result.findings.append(manifest_gone(record, service))
        except DigestMismatch:
            self._manifests[image] = None
            result.findings.append(other_bytes(record, service))
        except RegistryError as error:
            result.unknown.append(f"the registry could not be asked about {service}: {error.message}")
            result.not_compared.append(f"{service}: image and tag in the registry")
            return
        self._tag(record, service, result)

    def _tag(self, record: Record, service: str, result: Comparison) -> None:
        repository, tag = record.plan.release.images[service].repository, record.tags.get(service)
        if tag is None:
            result.not_compared.append(f"{service}: its tag, because none was recorded")
            return
        try:
            found = self._registry.resolve(Reference(repository, tag))
        except NotInRegistry:
            result.not_compared.append(f"{service}: tag {tag}, because {repository} no longer has it")
        except RegistryError as error:
            result.unknown.append(f"the registry could not be asked about {repository}:{tag}: {error.message}")
        else:
            finding = tag_finding(record, service, found)
            result.findings += [finding] if finding else []

    def _known(self, image: ImageRef) -> tuple[Manifest, ...]:
        manifest = self._manifests.get(image)
        return (manifest,) if manifest is not None else ()

    def _platforms(self, image: ImageRef) -> frozenset[Digest]:
        """Return the digests of the configurations of an index: an engine may know an image by that alone."""
        found: list[Manifest] = []
        for manifest in self._known(image):
            for child in manifest.children:
                try:
                    platform = self._registry.manifest(ImageRef(image.repository, child))
                except RegistryError:
                    continue  # a platform that is not needed may be missing
                found += [platform] if platform is not None else []
        return identities(image.digest, tuple(found))

    # ------------------------------------------------------------ secrets
    def _secrets_now(self, record: Record, result: Comparison) -> dict[str, str]:
        """Return the hashes of the secrets that can be read here."""
        found = {}
        for name in record.plan.secrets:
            try:
                if self._salt is not None:
                    found[name] = self._secrets.keyed_hash(name, self._salt)
            except SecretError as error:
                result.not_compared.append(f"secret {name}: {error.message}")
        return found

    def _reveal(self, same: frozenset[str]) -> Callable[[str], str | None]:
        return lambda text: self._secrets.reveal(text) if same.issuperset(names_in(text)) else None

    def _redacted(self, finding: Finding) -> Finding:
        expected, found = (text if text is None else self._secrets.redact(text) for text in (finding.expected, finding.found))
        return replace(finding, expected=expected, found=found)


def _require_engine(engine: EngineView, recorded: str | None) -> None:
    """Raise EngineError if another engine than the recorded one answers: its containers say nothing about the record."""
    identity = engine.identify()
    if recorded is not None and identity.fingerprint != recorded:
        raise EngineError(
            f"another engine ({identity.name}, {identity.version}) answers at {engine.address} than the one that was promoted to"
        )
