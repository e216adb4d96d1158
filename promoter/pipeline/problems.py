"""Collect the problems of a file, each once, even if it appears in several environments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from promoter.config.spec_errors import Fault
from promoter.config.yaml.positions import Document, Trail
from promoter.model.dataclass import dataclass
from promoter.model.errors import Diagnostic, InvalidFile

_Found = dict[Diagnostic, dict[str | None, None]]
"""A problem, and the environments in which it was found."""


@dataclass(frozen=True)
class Spot:
    """A position in a document, from which faults of the values below are reported."""

    document: Document
    path: Trail

    def __truediv__(self, part: str | int) -> "Spot":
        return Spot(self.document, (*self.path, part))

    def below(self, path: Sequence[str | int]) -> "Spot":
        return Spot(self.document, (*self.path, *path))

    def entry(self, name: str) -> "Spot":
        """Return the position of `name` in this list or mapping of names; if it is not found, that of the whole."""
        value = self.document.at(self.path)
        if isinstance(value, list):
            for index, item in enumerate(value):
                if (item.get("source") if isinstance(item, dict) else str(item).partition(":")[0]) == name:
                    return self / index
        return self / name

    @property
    def exists(self) -> bool:
        return self.document.has(self.path)


@dataclass
class Complaints:
    """Collects diagnostics. Those of `main`, the pipeline file, come first. `environments` are all environments."""

    main: Document
    environments: tuple[str, ...] = ()
    _found: _Found = field(default_factory=dict)
    _remarked: _Found = field(default_factory=dict)

    def add(
        self, spot: Spot, message: str, hint: str | None = None, *, on_key: bool = False, environment: str | None = None
    ) -> None:
        self._keep(self._found, spot, (message, hint), environment, on_key=on_key)

    def remark(self, spot: Spot, message: str, *, on_key: bool = False, environment: str | None = None) -> None:
        """Add a remark: something is left out or changed, but this prevents no run."""
        self._keep(self._remarked, spot, (message, None), environment, on_key=on_key)

    @staticmethod
    def _keep(where: _Found, spot: Spot, texts: tuple[str, str | None], environment: str | None, *, on_key: bool) -> None:
        if spot.path[:2] == ("environments", environment):
            environment = None  # the position is inside the environment
        at = spot.document.position(spot.path, of_key=on_key)
        where.setdefault(spot.document.complaint(at, *texts), {})[environment] = None

    def fault(self, spot: Spot, fault: Fault, environment: str | None = None) -> None:
        if fault.dropped:
            self.remark(spot.below(fault.at), fault.message, on_key=fault.on_key, environment=environment)
        else:
            self.add(spot.below(fault.at), fault.message, fault.hint, on_key=fault.on_key, environment=environment)

    def add_complaint(self, complaint: Diagnostic) -> None:
        self._found.setdefault(complaint, {})[None] = None

    def __len__(self) -> int:
        return len(self._found)

    def raise_if_any(self) -> None:
        """Raise InvalidFile with all diagnostics, in the order of the text."""
        if self._found:
            raise InvalidFile(tuple(sorted(self._diagnostics(self._found), key=self._order)))

    @property
    def remarks(self) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._diagnostics(self._remarked), key=self._order))

    def _order(self, complaint: Diagnostic) -> tuple[bool, Diagnostic]:
        return complaint.file != self.main.file, complaint

    def _diagnostics(self, found: Mapping[Diagnostic, Mapping[str | None, None]]) -> Iterator[Diagnostic]:
        for complaint, where in found.items():
            suffix = self._suffix(tuple(name for name in where if name is not None)) if None not in where else ""
            yield Diagnostic(
                complaint.file, complaint.line, complaint.column, complaint.message + suffix, complaint.hint, complaint.text
            )

    def _suffix(self, names: tuple[str, ...]) -> str:
        """Name the affected environments, or return an empty text if all are affected."""
        if len(names) >= len(self.environments):
            return ""
        return f" (in {some(names)})"


def some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
