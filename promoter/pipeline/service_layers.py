"""Layers of services: the shared service and an environment's override, filled in and merged.

Keys without templates are read once for all environments; keys with templates are read for each.
"""

from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Literal

from pydantic import ValidationError

from promoter.config.spec import Reading
from promoter.config.spec_errors import faults_of, without
from promoter.config.yaml.scalars import Tagged
from promoter.model.dataclass import dataclass
from promoter.pipeline.compose.definitions import Written
from promoter.pipeline.problems import Complaints, Spot
from promoter.pipeline.template_filler import Filler, templated

RELEASE_KEYS = ("image", "build", "platform")
"""Keys of the image, which are the same in all environments."""
Canonical = dict[str, Any]


@dataclass
class Layer:
    """One service at one position of one file. `marks` are its `!reset` and `!override`, by path."""

    spot: Spot
    context: Reading
    raw: Mapping[str, Any]
    complaints: Complaints
    marks: dict[tuple[str | int, ...], Literal["reset", "override"]] = field(default_factory=dict)

    @cached_property
    def varying(self) -> tuple[str, ...]:
        return tuple(key for key, value in self.raw.items() if key not in RELEASE_KEYS and templated(value))

    @cached_property
    def fixed(self) -> Canonical:
        plain = {k: v for k, v in self.raw.items() if k not in self.varying and (k not in RELEASE_KEYS)}
        return self._read(plain, None)

    def canonical(self, filler: Filler) -> Canonical:
        """Return the values of this layer in one environment."""
        if not self.varying:
            return self.fixed
        return {**self.fixed, **self._filled(self.varying, filler)}

    def image_keys(self, filler: Filler) -> Canonical:
        """Return the values of this layer for the image."""
        return self._filled(tuple(key for key in RELEASE_KEYS if key in self.raw), filler)

    def _filled(self, keys: tuple[str, ...], filler: Filler) -> Canonical:
        values = {}
        for key in keys:
            value, whole = filler.fill(self.raw[key], self.spot / key)
            if whole:
                values[key] = value
        return self._read(values, filler.environment)

    def _read(self, values: Mapping[str, Any], environment: str | None) -> Canonical:
        """Return canonical values of valid keys; report the others."""
        if not values:
            return {}
        try:
            written = Written.model_validate(values, context=self.context, by_alias=True, by_name=False)
        except ValidationError as error:
            faults = list(faults_of(error, Written))
            for fault in faults:
                self.complaints.fault(self.spot, fault, environment)
            if dropped := [fault for fault in faults if fault.dropped]:
                return self._read(without(values, dropped), environment)
            wrong = {fault.at[0] for fault in faults if fault.at}
            rest = {key: value for key, value in values.items() if key not in wrong}
            return self._read(rest, environment) if wrong and len(rest) < len(values) else {}
        return written.model_dump(exclude_unset=True)


def make_layer(value: Mapping[str, Any], spot: Spot, context: Reading, complaints: Complaints) -> Layer:
    marks: dict[tuple[str | int, ...], Literal["reset", "override"]] = {}
    plain = _untagged(value, (), marks, context)
    assert isinstance(plain, dict)
    return Layer(spot, context, plain, complaints, marks)


_GONE = object()


def _untagged(value: object, path: tuple[str | int, ...], marks: dict[Any, Any], context: Reading) -> object:
    """Remove tags, which go to `marks`, and variables without a value that the process does not have."""
    if isinstance(value, Tagged):
        marks[path] = value.tag
        return _GONE if value.tag == "reset" else _untagged(value.value, path, marks, context)
    if isinstance(value, dict):
        if path == ("environment",):
            marks.update({(*path, k): "reset" for k, v in value.items() if v is None and k not in context.environ})
        found = {key: _untagged(item, (*path, key), marks, context) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not _GONE}
    if isinstance(value, list):
        items = [_untagged(item, (*path, index), marks, context) for index, item in enumerate(value)]
        return [item for item in items if item is not _GONE]
    return value
