"""Where services, networks, volumes and configs are written: in the pipeline file, or in a Compose file that it names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promoter.adapters.pipeline_file.complaints import Complaints, Spot
from promoter.adapters.pipeline_file.filling import Broken
from promoter.compose.env_file import BadEnvFile, read_env_file
from promoter.compose.interpolate import Unset, interpolate
from promoter.compose.misfit import nearest, unknown_key
from promoter.compose.refused import reason
from promoter.compose.shape import Reading
from promoter.document.positions import Document
from promoter.document.reader import read_document
from promoter.document.scalars import Tagged, kind_of
from promoter.model.errors import Complaint, FileFaults
from promoter.templates import is_template

PARTS = ("services", "networks", "volumes", "configs", "secrets")


@dataclass(frozen=True)
class Origin:
    """`parts` holds what is written under each of PARTS, ready to be filled in."""

    document: Document
    directory: Path
    parts: Mapping[str, Any]
    environ: Mapping[str, str]

    def spot(self, *path: str) -> Spot:
        return Spot(self.document, path)

    @property
    def reading(self) -> Reading:
        return Reading(self.directory, self.environ)


def read_bytes(path: Path, shown: str, read: Callable[[Path], bytes] = Path.read_bytes) -> bytes:
    """Raises FileFaults when it cannot be read."""
    try:
        return read(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        why = error.strerror or str(error)
        raise FileFaults((Complaint(shown, 1, 1, f"cannot be read: {why.lower()}"),)) from error


def own_origin(document: Document, directory: Path, environ: Mapping[str, str]) -> Origin:
    """Services stand in the pipeline file itself; there a `$` is plain text."""
    data = document.data
    assert isinstance(data, dict)
    return Origin(document, directory, {part: data.get(part) for part in PARTS}, environ)


def compose_origin(
    path: Path, shown: str, named: Spot, environ: Mapping[str, str], complaints: Complaints, read: Callable[[Path], bytes]
) -> Origin | None:
    """Services stand in a real Compose file: `${…}` is filled in from the environment and from `.env` beside it."""
    try:
        document = read_document(read_bytes(path, shown, read), shown)
        environ = {**_dot_env(path.parent, shown, environ), **environ}
    except FileNotFoundError:
        complaints.add(named, f"there is no file {shown}", "name a Compose file, relative to this one")
        return None
    except FileFaults as faults:
        for complaint in faults.complaints:
            complaints.add_complaint(complaint)
        return None
    data = document.data
    assert isinstance(data, dict)
    _check_keys(document, data, complaints)
    parts = {part: _interpolated(data.get(part), Spot(document, (part,)), environ, complaints) for part in PARTS}
    return Origin(document, path.parent, parts, environ)


def _dot_env(directory: Path, shown: str, environ: Mapping[str, str]) -> dict[str, str]:
    path = directory / ".env"
    if not path.is_file():
        return {}
    name = str(Path(shown).with_name(".env"))
    text = read_bytes(path, name).decode("utf-8", "replace")
    try:
        return read_env_file(text, environ)
    except BadEnvFile as error:
        raise FileFaults((Complaint(name, error.line, 1, error.message),)) from error


def _check_keys(document: Document, data: Mapping[str, object], complaints: Complaints) -> None:
    for key in data:
        if key in (*PARTS, "name", "version") or key.startswith("x-"):
            continue
        spot, refusal = Spot(document, (key,)), reason("Compose", key)
        if refusal:
            complaints.add(spot, f"`{key}` is not carried out: {refusal.why}", refusal.instead, on_key=True)
        else:
            complaints.fault(Spot(document, ()), unknown_key(key, (*PARTS, "name", "version"), (key,)))
    if not data.get("services"):
        complaints.add(Spot(document, ()), "`services` is missing", "a Compose file with services is due here")


def _interpolated(value: object, spot: Spot, environ: Mapping[str, str], complaints: Complaints) -> object:
    if isinstance(value, str):
        try:
            filled = interpolate(value, environ)
        except Unset as error:
            complaints.add(spot, error.message, error.hint)
            return Broken(value)
        if filled != value and is_template(filled) and filled.count("{") > value.count("{") - value.count("${"):
            complaints.add(spot, "a variable that is filled in here holds a template", "write templates in the file itself")
            return Broken(value)
        return filled
    if isinstance(value, dict):
        return {key: _interpolated(item, spot / key, environ, complaints) for key, item in value.items()}
    if isinstance(value, list):
        return [_interpolated(item, spot / place, environ, complaints) for place, item in enumerate(value)]
    if isinstance(value, Tagged):
        return Tagged(value.tag, _interpolated(value.value, spot, environ, complaints))
    return value


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
