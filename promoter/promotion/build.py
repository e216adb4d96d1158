"""Make a release: build and push images and read their digests back; pin images that are not built here. All in parallel."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from promoter.model.dataclass import dataclass
from promoter.model.errors import BuildError, CallerError, DigestMismatch, PromoterError, PushError, RegistryError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release, Source
from promoter.model.secrets import names_in
from promoter.pipeline.model import BuiltService, ToBuild, ToPin
from promoter.promotion import progress
from promoter.promotion.ports.builder import Builder, BuildRequest
from promoter.promotion.ports.bundle import Ports
from promoter.promotion.ports.engine import Engine
from promoter.promotion.ports.registry import Manifest
from promoter.promotion.reconnect import outlast

T = TypeVar("T")
PARALLEL = 8


Wanted = Mapping[str, BuiltService]


@dataclass(frozen=True)
class Made:
    """A release and the tags of its images. Tags are shown to people and never run."""

    release: Release
    tags: Mapping[str, str]


def make_release(
    ports: Ports, engine: Engine, wanted: Wanted, source: Source, directory: Path, pipeline: str, emit: progress.Listener
) -> Made:
    """Build or pin all services. Raise CallerError, before anything is done, if this engine cannot build.

    Raise BuildError, PushError or RegistryError if a build or push fails.
    """
    maker = _Maker(ports, engine, ports.builder(engine) if _any_built(wanted) else None, source, directory, pipeline, emit)
    maker.refuse_early(wanted)
    with ThreadPoolExecutor(PARALLEL) as pool:
        futures = {name: pool.submit(maker.one, name, entry) for name, entry in wanted.items()}
        images = _all(futures)
    tags = {name: maker.tag for name, entry in wanted.items() if isinstance(entry, ToBuild)}
    tags |= {name: e.reference.tag for name, e in wanted.items() if isinstance(e, ToPin) and e.reference.tag}
    return Made(Release(images, source), tags)


def registries(wanted: Wanted) -> set[str]:
    """Return the registries that must answer before a build: those pushed to, and those that resolve a digest."""
    return {
        entry.repository.host if isinstance(entry, ToBuild) else entry.reference.repository.host
        for entry in wanted.values()
        if isinstance(entry, ToBuild) or entry.reference.digest is None
    }


def build_secrets(wanted: Wanted) -> set[str]:
    """Return the names of the secrets that builds use."""
    values = (
        v
        for e in wanted.values()
        if isinstance(e, ToBuild)
        for v in (*e.build.args.values(), *e.build.secrets.values(), e.build.dockerfile_inline)
    )
    return {name for value in values if value for name in names_in(value)}


def tag_of(source: Source) -> str:
    """Return the tag that a build is pushed under: the commit, marked if there were uncommitted changes."""
    return (source.short_sha or "local") + ("-dirty" if source.dirty else "")


def _any_built(wanted: Wanted) -> bool:
    return any(isinstance(entry, ToBuild) for entry in wanted.values())


def _all(futures: "Mapping[str, Future[ImageRef]]") -> dict[str, ImageRef]:
    """Wait for all and return every result, or raise the first error in the order of the file."""
    errors = [error for future in futures.values() if (error := future.exception()) is not None]
    if errors:
        raise next((e for e in errors if isinstance(e, PromoterError) and e.exit_code == 130), errors[0])
    return {name: future.result() for name, future in futures.items()}


@dataclass(frozen=True)
class _Maker:
    ports: Ports
    engine: Engine
    builder: Builder | None
    source: Source
    directory: Path
    pipeline: str
    emit: progress.Listener

    @property
    def tag(self) -> str:
        return tag_of(self.source)

    def refuse_early(self, wanted: Wanted) -> None:
        for name, entry in wanted.items():
            if isinstance(entry, ToBuild) and self.builder is not None:
                why = self.builder.refuse(self._request(name, entry))
                if why is not None:
                    raise BuildError(f"{name} cannot be built here: {why}")

    def one(self, name: str, entry: ToBuild | ToPin) -> ImageRef:
        self.ports.clock.check()
        return self._built(name, entry) if isinstance(entry, ToBuild) else self._taken(name, entry)

    def _taken(self, name: str, entry: ToPin) -> ImageRef:
        reference = entry.reference
        digest = reference.digest or self.ports.registry.resolve(reference)
        image = ImageRef(reference.repository, digest)
        self.emit(progress.Pinned(name, str(reference), image))
        return image

    def _built(self, name: str, entry: ToBuild) -> ImageRef:
        builder = self.builder
        if builder is None:
            raise CallerError(f"{name} has a build, but there is no builder")
        started = self.ports.clock.monotonic()
        self.emit(progress.BuildStarted(name, builder.name))
        self._outlast(lambda: builder.build(self._request(name, entry), self.ports.secrets, self._log(name)))
        self.emit(progress.BuildDone(name, self.ports.clock.monotonic() - started))
        self.ports.clock.check()
        try:
            return self._outlast(lambda: self._pushed(name, entry.repository))
        except RegistryError as error:
            if error.reason_code is RegistryError.reason_code:
                error.reason_code = PushError.reason_code
            raise

    def _outlast(self, act: Callable[[], T]) -> T:
        return outlast(self.engine, self.ports.clock, act)

    def _pushed(self, name: str, repository: Repository) -> ImageRef:
        image = self._there_already(repository)
        already = image is not None
        if image is None:
            image = ImageRef(repository, self._push(name, repository))
        else:
            self.ports.registry.tag(image, self.tag)
        self.emit(progress.Pushed(name, image, self.tag, already))
        return image

    def _push(self, name: str, repository: Repository) -> Digest:
        """Push, and return the digest that the push named, after comparing it with the registry's content."""
        digest = self.engine.push(repository, self.tag, self._layers(name))
        if self.ports.registry.manifest(ImageRef(repository, digest)) is None:
            raise PushError(f"the push of {repository} named {digest}, but the registry does not hold it")
        return digest

    def _there_already(self, repository: Repository) -> ImageRef | None:
        """Return the image as the registry has it, if exactly these bytes were pushed before.

        The digests that the engine knows are only candidates. The registry's manifest must name this image's configuration
        (or, with the containerd store, be the image).
        """
        local = self.engine.image_id(f"{repository}:{self.tag}")
        if local is None:
            return None
        for digest in self.engine.image_digests(local, repository):
            image = ImageRef(repository, digest)
            try:
                manifest = self.ports.registry.manifest(image)
            except DigestMismatch:
                continue
            if manifest is not None and _is(manifest, local):
                return image
        return None

    def _request(self, name: str, entry: ToBuild) -> BuildRequest:
        return BuildRequest(name, entry.build, self.directory, entry.repository, self.tag, {}, entry.platform)

    def _log(self, name: str) -> Callable[[str], None]:
        return lambda line: self.emit(progress.BuildLine(name, self.ports.secrets.redact(line)))

    def _layers(self, name: str) -> Callable[[str, str, int | None, int | None], None]:
        return lambda layer, status, current, total: self.emit(
            progress.LayerProgress(name, "push", layer, status, current, total)
        )


def _is(manifest: Manifest, image_id: str) -> bool:
    return image_id in (str(manifest.config), str(manifest.digest))
