"""Fill in the templates of a value, and read the result with a model. Errors become diagnostics."""

from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from promoter.config.spec import Reading, Shape
from promoter.config.spec_errors import Fault, faults_of, without
from promoter.config.templates.render import is_template, render
from promoter.config.templates.scope import Scope, TemplateFault
from promoter.config.yaml.scalars import Tagged, kind_of
from promoter.pipeline.problems import Complaints, Spot


class Broken(str):
    """A text whose error was already reported."""

    __slots__ = ()


S = TypeVar("S", bound=Shape)


class Filler:
    """Fills in templates of one environment (None: of the whole file) in one scope."""

    def __init__(self, scope: Scope, complaints: Complaints, environment: str | None) -> None:
        self.scope, self.complaints, self.environment = scope, complaints, environment
        self._broken = False

    def fill(self, value: object, spot: Spot) -> tuple[object, bool]:
        """Return the value without templates, and False if some could not be filled in."""
        faults: list[tuple[Spot, TemplateFault]] = []
        self._broken = False
        filled = self._fill(value, spot, faults)
        for index, fault in faults:
            self.complain(index, fault.message, fault.hint)
        return filled, not faults and not self._broken

    def _fill(self, value: object, spot: Spot, faults: list[tuple[Spot, TemplateFault]]) -> object:
        if isinstance(value, Broken):
            self._broken = True
            return value
        if isinstance(value, str):
            if not is_template(value):
                return value
            try:
                return render(value, self.scope)
            except TemplateFault as fault:
                faults.append((spot, fault))
                return value
        if isinstance(value, dict):
            return {key: self._fill(item, spot / key, faults) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fill(item, spot / index, faults) for index, item in enumerate(value)]
        return Tagged(value.tag, self._fill(value.value, spot, faults)) if isinstance(value, Tagged) else value

    def complain(self, spot: Spot, message: str, hint: str | None = None, *, on_key: bool = False) -> None:
        self.complaints.add(spot, message, hint, on_key=on_key, environment=self.environment)

    def read(self, shape: type[S], value: object, spot: Spot, context: Reading | None = None) -> S | None:
        """Fill in and read a value. Return None after reporting an error."""
        filled, whole = self.fill(value, spot)
        return read_shape(shape, filled, spot, self.complaints, self.environment, context) if whole else None


def read_shape(
    shape: type[S], value: object, spot: Spot, complaints: Complaints, environment: str | None, context: Reading | None = None
) -> S | None:
    try:
        return shape.model_validate(value, context=context, by_alias=True, by_name=False)
    except ValidationError as error:
        faults = list(faults_of(error, shape))
        for fault in faults:
            complaints.fault(spot, fault, environment)
        if all(fault.dropped for fault in faults):
            return read_shape(shape, without(value, faults), spot, complaints, environment, context)
        return None


def is_map(value: object, spot: Spot, complaints: Complaints, what: str, environment: str | None = None) -> bool:
    """Return whether `value` is a mapping, and report other values. None counts as absent and is not reported."""
    if isinstance(value, dict):
        return True
    if value is not None:
        complaints.fault(spot, Fault((), f"{what} must be a mapping, got {kind_of(value)}"), environment)
    return False


def templated(value: object) -> bool:
    """Return whether a value contains a template."""
    if isinstance(value, str):
        return isinstance(value, Broken) or is_template(value)
    if isinstance(value, Mapping):
        return any(templated(item) for item in value.values())
    if isinstance(value, list):
        return any(templated(item) for item in value)
    return isinstance(value, Tagged) and templated(value.value)
