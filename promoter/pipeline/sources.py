"""Where services, networks, volumes and configs are written: in the pipeline file, or in Compose files that it names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promoter.config.spec import Reading
from promoter.config.spec_errors import nearest
from promoter.config.yaml.positions import Document
from promoter.config.yaml.scalars import Tagged, kind_of
from promoter.pipeline.problems import Complaints, Spot

PARTS = ("services", "networks", "volumes", "configs", "secrets")


@dataclass(frozen=True)
class Sheet:
    """What one file says. `parts` holds what is written under each of PARTS, ready to be filled in."""

    document: Document
    directory: Path
    parts: Mapping[str, Any]
    environ: Mapping[str, str]
    own: bool = False
    """Whether it is the pipeline file itself, and no Compose file."""

    def spot(self, *path: str) -> Spot:
        return Spot(self.document, path)

    @property
    def reading(self) -> Reading:
        return Reading(self.directory, self.environ)


@dataclass(frozen=True)
class Origin:
    """All of them, the later laid over the earlier. Relative paths start from `directory`."""

    sheets: tuple[Sheet, ...]
    directory: Path

    def holder(self, part: str, name: str) -> Sheet:
        """The last file that says something about `name`."""
        return next(s for s in (*reversed(self.sheets), self.sheets[0]) if name in (s.parts[part] or {}) or s is self.sheets[0])

    def entries(self, part: str, complaints: Complaints) -> Iterator[tuple[str, Any, Spot, Reading]]:
        """The named entries of a top-level map, merged."""
        found: dict[str, tuple[Any, Spot, Reading]] = {}
        for sheet in self.sheets:
            for name, value, spot in entries(sheet.parts[part], sheet.spot(part), complaints):
                merged = _laid_over(found[name][0], value) if name in found else value
                found[name] = (merged, spot, sheet.reading)
        yield from ((name, *entry) for name, entry in found.items())


def own_origin(document: Document, directory: Path, environ: Mapping[str, str]) -> Origin:
    """Services stand in the pipeline file itself; there a `$` is plain text."""
    data = document.data
    assert isinstance(data, dict)
    return Origin((Sheet(document, directory, {part: data.get(part) for part in PARTS}, environ, own=True),), directory)


def _laid_over(base: Any, over: Any) -> Any:
    """What a later file says of a network, a volume, a config or a secret, over what an earlier says."""
    if isinstance(over, Tagged):
        return None if over.tag == "reset" else over.value
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _laid_over(base[key], value) if key in base else value for key, value in over.items()}
    if isinstance(base, list) and isinstance(over, list):
        return [*base, *over]
    return base if over is None else over


def entries(part: object, spot: Spot, complaints: Complaints) -> Iterator[tuple[str, Any, Spot]]:
    """The named entries of a top-level map, without extensions."""
    if part is None:
        return
    if not isinstance(part, dict):
        complaints.add(
            spot, f"`{spot.path[-1]}` must be a map, and {kind_of(part)} stands here", "write names and what they hold"
        )
        return
    for name, value in part.items():
        if not name.startswith("x-"):
            yield name, value, spot / name


def unknown(name: str, what: str, known: Iterator[str] | Mapping[str, object] | tuple[str, ...]) -> tuple[str, str | None]:
    """The message and hint for a name that stands for nothing."""
    return f"there is no {what} `{name}`", nearest(name, known, f"{what}s here")
