"""Combine each shared service from all its files: first what it extends, then each file over the one before."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from promoter.config.yaml.scalars import Tagged, kind_of
from promoter.model.dataclass import dataclass
from promoter.model.images import BadReference, Reference
from promoter.pipeline.compose.merge import merge
from promoter.pipeline.compose_files import ComposeFiles
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.service_layers import RELEASE_KEYS, Layer, make_layer
from promoter.pipeline.sources import Origin, Sheet, entries, unknown
from promoter.pipeline.template_filler import Filler, is_map

Canonical = dict[str, Any]
_EXTENDS = "write for example `extends: base` or `extends: {service: base, file: common.yaml}`"


@dataclass
class Stack:
    """One shared service. Relative paths are made absolute in layers of other directories than `directory`."""

    layers: tuple[Layer, ...]
    directory: Path
    tags_dropped: bool
    """Whether a tag beside `build` is dropped with a remark, as for a Compose file, or is an error."""

    @property
    def spot(self) -> Spot:
        return self.layers[-1].spot

    def spot_of(self, key: str) -> Spot:
        """Return the layer that sets `key` last."""
        return next((layer.spot for layer in reversed(self.layers) if (layer.spot / key).exists), self.spot)

    @cached_property
    def raw(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for layer in self.layers:
            found = {key: value for key, value in found.items() if layer.marks.get((key,)) != "reset"}
            found |= layer.raw
        return found

    @cached_property
    def profiles(self) -> tuple[str, ...]:
        """Return the profiles of the service. Without any, it runs in every environment."""
        values = (layer.raw.get("profiles") or () for layer in self.layers)
        written = [value for value in values if isinstance(value, str | int | list | tuple)]  # another kind is reported later
        return tuple(dict.fromkeys(str(one) for many in written for one in ([many] if isinstance(many, str | int) else many)))

    def canonical(self, filler: Filler) -> Canonical:
        """Return the service in one environment, without overrides."""
        found: Canonical = self.layers[0].canonical(filler)
        for layer in self.layers[1:]:
            found = merge(found, layer.canonical(filler), layer.marks)
        return found

    def image_keys(self, filler: Filler) -> Canonical:
        """Return the keys of the image."""
        found: Canonical = {}
        for layer in self.layers:
            marks = {path: mark for path, mark in layer.marks.items() if path[0] in RELEASE_KEYS}
            found = merge(found, self._with_absolute_context(layer, layer.image_keys(filler)), marks)
        if self.tags_dropped and "build" in found and isinstance(found.get("image"), str):
            found["image"] = self._without_tag(found["image"], filler)
        return found

    def _with_absolute_context(self, layer: Layer, written: Canonical) -> Canonical:
        context = written.get("build", {}).get("context")
        if context is None or layer.context.directory == self.directory or "://" in context:
            return written
        return {**written, "build": {**written["build"], "context": str(layer.context.directory / context)}}

    def _without_tag(self, image: str, filler: Filler) -> str:
        try:
            tag = Reference.parse(image).tag
        except BadReference:
            return image
        if tag is None or not image.endswith(f":{tag}"):
            return image
        message = f"the tag `{tag}` is left out: promoter names built images by their digest"
        filler.complaints.remark(self.spot_of("image") / "image", message)
        return image.removesuffix(f":{tag}")


def shared_services(origin: Origin, files: ComposeFiles, complaints: Complaints) -> dict[str, Stack]:
    found: dict[str, list[Layer]] = {}
    extending = _Extending(files, complaints)
    for sheet in origin.sheets:
        for name, written, spot in entries(sheet.parts["services"], sheet.spot("services"), complaints):
            value = written
            if isinstance(written, Tagged):
                found.pop(name, None)
                value = written.value
                if written.tag == "reset":
                    continue
            if value is None:
                complaints.add(spot, f"service `{name}` is empty", "give it an `image` or a `build`", on_key=True)
            elif is_map(value, spot, complaints, f"service `{name}`"):
                found.setdefault(name, []).extend(extending.layers(sheet, name, value, spot, ()))
    foreign = not origin.sheets[0].own
    return {name: Stack(tuple(layers), origin.directory, foreign) for name, layers in found.items()}


class _Extending:
    """Follow `extends`, in the same file and in others."""

    def __init__(self, files: ComposeFiles, complaints: Complaints) -> None:
        self._files, self._complaints = files, complaints
        self._sheets: dict[Path, Sheet | None] = {}
        self._cycles: list[set[tuple[str, str]]] = []

    def layers(
        self, sheet: Sheet, name: str, value: Mapping[str, Any], spot: Spot, trail: tuple[tuple[str, str], ...]
    ) -> list[Layer]:
        current = (sheet.document.file, name)
        if current in trail:
            around = trail[trail.index(current) :]
            if set(around) in self._cycles:
                return []
            self._cycles.append(set(around))
            cycle = " -> ".join(service for _, service in (*around, current))
            self._complaints.add(spot / "extends", f"`extends` has a cycle: {cycle}", "remove one `extends` of the cycle")
            return []
        written = value.get("extends")
        bases = [] if written is None else self._bases(sheet, written, spot / "extends", (*trail, current))
        own = {key: item for key, item in value.items() if key != "extends"}
        return [*bases, make_layer(own, spot, sheet.reading, self._complaints)]

    def _bases(self, sheet: Sheet, written: object, spot: Spot, trail: tuple[tuple[str, str], ...]) -> list[Layer]:
        form = written if isinstance(written, dict) else {"service": written}
        name, file = form.get("service"), form.get("file")
        if not isinstance(name, str) or not isinstance(file, str | None) or not form.keys() <= {"service", "file"}:
            self._complaints.add(spot, f"expected the name of a service, got {kind_of(written)}", _EXTENDS)
            return []
        other = sheet if file is None else self._open(sheet, file, spot / "file")
        if other is None:
            return []
        services = other.parts["services"] if isinstance(other.parts["services"], dict) else {}
        base = services.get(name)
        if not isinstance(base, dict):
            message, hint = unknown(name, "service", services)
            where = "" if file is None else f" in {other.document.file}"
            self._complaints.add(spot / "service" if (spot / "service").exists else spot, message + where, hint)
            return []
        return self.layers(other, name, base, other.spot("services", name), trail)

    def _open(self, sheet: Sheet, file: str, spot: Spot) -> Sheet | None:
        path = sheet.directory / file
        if path not in self._sheets:
            self._sheets[path] = self._files.extended(sheet, file, spot)
        return self._sheets[path]
