"""Sources of services, networks, volumes and configs: the pipeline file, or Compose files that it names."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from promoter.config.spec import Reading
from promoter.config.spec_errors import nearest
from promoter.config.yaml.positions import Document
from promoter.config.yaml.scalars import Tagged, kind_of
from promoter.model.dataclass import dataclass
from promoter.pipeline.problems import Complaints, Spot

PARTS = ("services", "networks", "volumes", "configs", "secrets")


@dataclass(frozen=True)
class Sheet:
    """One file. `parts` holds the values of each of PARTS, ready to be filled in."""

    document: Document
    directory: Path
    parts: Mapping[str, Any]
    environ: Mapping[str, str]
    own: bool = False
    """Whether it is the pipeline file, not a Compose file."""

    def spot(self, *path: str) -> Spot:
        return Spot(self.document, path)

    @property
    def reading(self) -> Reading:
        return Reading(self.directory, self.environ)


@dataclass(frozen=True)
class Origin:
    """All files, later ones merged over earlier ones. Paths are relative to `directory`."""

    sheets: tuple[Sheet, ...]
    directory: Path

    def holder(self, part: str, name: str) -> Sheet:
        """Return the last file that has an entry `name`."""
        return next(s for s in (*reversed(self.sheets), self.sheets[0]) if name in (s.parts[part] or {}) or s is self.sheets[0])

    def entries(self, part: str, complaints: Complaints) -> Iterator[tuple[str, Any, Spot, Reading]]:
        """Return the entries of a top-level mapping, merged."""
        found: dict[str, tuple[Any, Spot, Reading]] = {}
        for sheet in self.sheets:
            for name, value, spot in entries(sheet.parts[part], sheet.spot(part), complaints):
                merged = _laid_over(found[name][0], value) if name in found else value
                found[name] = (merged, spot, sheet.reading)
        yield from ((name, *entry) for name, entry in found.items())


def own_origin(document: Document, directory: Path, environ: Mapping[str, str]) -> Origin:
    """Return the pipeline file itself as the source of services. There a `$` is plain text."""
    data = document.data
    assert isinstance(data, dict)
    return Origin((Sheet(document, directory, {part: data.get(part) for part in PARTS}, environ, own=True),), directory)


def _laid_over(base: Any, over: Any) -> Any:
    """Merge an entry of a later file over that of an earlier one."""
    if isinstance(over, Tagged):
        return None if over.tag == "reset" else over.value
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _laid_over(base[key], value) if key in base else value for key, value in over.items()}
    if isinstance(base, list) and isinstance(over, list):
        return [*base, *over]
    return base if over is None else over


def entries(part: object, spot: Spot, complaints: Complaints) -> Iterator[tuple[str, Any, Spot]]:
    """Yield the entries of a top-level mapping, without extensions. A service may have such a name, as in Compose."""
    if part is None:
        return
    if not isinstance(part, dict):
        complaints.add(spot, f"`{spot.path[-1]}` must be a mapping, got {kind_of(part)}", "write `NAME: …` for each entry")
        return
    for name, value in part.items():
        if not name.startswith("x-") or _is_service(value):
            yield name, value, spot / name


def _is_service(value: object) -> bool:
    return isinstance(value, dict) and not value.keys().isdisjoint(("image", "build"))


def unknown(name: str, what: str, known: Iterator[str] | Mapping[str, object] | tuple[str, ...]) -> tuple[str, str | None]:
    """Return the message and hint for an unknown name."""
    return f"unknown {what} `{name}`", nearest(name, known, f"known {what}s")
