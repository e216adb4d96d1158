"""How the image of each service is made, for all environments: built here, or pinned from a registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promoter.config.regular_file import is_dir, is_file
from promoter.config.templates.render import is_template
from promoter.config.templates.scope import SourceView
from promoter.model.images import BadReference, Reference, Repository
from promoter.model.release import Source
from promoter.model.secrets import OPENING, names_in
from promoter.pipeline.compose.build import Build
from promoter.pipeline.file_text import FileText
from promoter.pipeline.model import BuiltService, ToBuild, ToPin
from promoter.pipeline.problems import Spot
from promoter.pipeline.sources import unknown
from promoter.pipeline.template_filler import Filler

_ONE_IMAGE = "an image is built once, for all environments: use only source, env('NAME') and secret('NAME') here"


def read_builds(text: FileText, source: Source | None = None) -> dict[str, BuiltService]:
    """Read all builds. A build with an error is reported as a diagnostic and left out."""
    scope = text.scope(absent=text.variables, why_undefined=_ONE_IMAGE)
    if source is not None:
        scope.known["source"] = SourceView(lambda: source)
    filler = Filler(scope, text.complaints, None)
    found = {}
    for name in text.used:
        layer = text.layers[name]
        built = _read(text, name, layer.image_keys(filler), layer.spot, filler, layer.raw)
        if built is not None:
            found[name] = built
    return found


def _read(
    text: FileText, name: str, written: Mapping[str, Any], spot: Spot, filler: Filler, raw: Mapping[str, Any]
) -> BuiltService | None:
    if raw.get("image") is None and raw.get("build") is None:
        filler.complain(spot, f"service `{name}` has neither `image` nor `build`", "add `image: …` or `build: .`", on_key=True)
        return None
    image, platform = written.get("image"), written.get("platform")
    if isinstance(image, str) and OPENING in image:
        filler.complain(spot / "image", "`image` cannot contain a secret")
        return None
    if raw.get("build") is None:
        return _pinned(image, platform, spot, filler)
    if "build" not in written or (raw.get("image") is not None and image is None):
        _checked(text, _paths(raw["build"]), spot / "build", filler)
        return None
    build = _checked(text, Build.model_validate(written["build"]), spot / "build", filler)
    _check_secrets(build, spot / "build" / "secrets", filler)
    repository = _repository(text, name, image, spot, filler)
    return None if build is None or repository is None else ToBuild(build, repository, platform)


def _check_secrets(build: Build | None, spot: Spot, filler: Filler) -> None:
    known = filler.scope.secrets
    used = {name for value in build.secrets.values() for name in names_in(value)} if build is not None else set()
    for name in sorted(used - set(known)):
        message, hint = unknown(name, "secret", tuple(sorted(known)))
        filler.complain(spot.entry(name), message, hint or f"declare it: `secrets: {{{name}: {{env: {name}}}}}`")


def _paths(build: object) -> Build:
    """Return the parts of a wrong build that can still be checked."""
    written = build if isinstance(build, dict) else {"context": build}
    keys = ("context", "dockerfile", "dockerfile_inline")
    return Build(**{k: v for k in keys if isinstance(v := written.get(k), str) and not is_template(v)})


def _pinned(image: str | None, platform: str | None, spot: Spot, filler: Filler) -> ToPin | None:
    if image is None:
        return None
    try:
        return ToPin(Reference.parse(image), platform)
    except BadReference as error:
        filler.complain(spot / "image", str(error))
        return None


def _repository(text: FileText, name: str, image: str | None, spot: Spot, filler: Filler) -> Repository | None:
    """Return the repository of a built service: below the registry, unless `image` names a registry host."""
    path = image or f"{text.head.name}/{name.lower()}"
    at = spot / "image" if image else spot
    complete = names_registry(path)
    if not complete and text.head.registry is None:
        hint = "add `registry: registry.example.com/acme` at the top, or begin `image` with a registry's host"
        filler.complain(
            at, f"service `{name}` is built here, but no registry is configured to push it to", hint, on_key=not image
        )
        return None
    try:
        return Repository.parse(path if complete else f"{text.head.registry}/{path}")
    except BadReference as error:
        reference = _reference(path)
        if reference is not None and (reference.tag or reference.digest):
            message = f"{path!r} must be a repository without tag or digest"
            filler.complain(
                at, message, f"write {path.split('@')[0].rsplit(':', 1)[0]}; promoter names built images by their digest"
            )
        else:
            filler.complain(at, str(error))
        return None


def names_registry(path: str) -> bool:
    """Return whether an image's name begins with the host of a registry."""
    first, slash, _ = path.partition("/")
    return bool(slash) and ("." in first or ":" in first or first == "localhost")


def _reference(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except BadReference:
        return None


def _checked(text: FileText, build: Build, spot: Spot, filler: Filler) -> Build | None:
    """Check that the context and the Dockerfile exist. Paths are relative to the pipeline file."""
    directory = text.origin.directory
    at = spot / "context" if (spot / "context").exists else spot
    if "://" in build.context or build.context.startswith("git@"):
        filler.complain(
            at, f"the context {build.context} is not a directory on this machine", "check it out, and name its directory"
        )
        return None
    context = directory / build.context
    if not is_dir(context):
        filler.complain(at, f"build directory {build.context} not found", "name a directory, relative to this file")
        return None
    if build.dockerfile is not None and build.dockerfile_inline is not None:
        filler.complain(
            spot / "dockerfile_inline", "`dockerfile` and `dockerfile_inline` cannot be used together", "keep one", on_key=True
        )
        return None
    if build.dockerfile_inline is None and not is_file(context / (build.dockerfile or "Dockerfile")):
        named = spot / "dockerfile" if build.dockerfile else at
        shown = Path(build.context) / (build.dockerfile or "Dockerfile")
        filler.complain(named, f"Dockerfile {shown} not found", "write one, or name it: `dockerfile: …`")
        return None
    return build if directory == text.directory else build.model_copy(update={"context": str(context)})
