"""Files that gates and checks use: ignore files of scanners, keys of signatures, calendars. Their content becomes part of the
gate or check, so that plans and policies include it: changing the file makes approvals stale.
"""

from pathlib import Path

from promoter.config.spec import Shape
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck, is_address, is_pem
from promoter.gates.window.icalendar import read_calendar
from promoter.gates.window.rule import Window
from promoter.model.secrets import OPENING, names_in
from promoter.pipeline.mounted_files import FORGED, Files
from promoter.pipeline.problems import Spot
from promoter.pipeline.template_filler import Filler

LARGEST = 1 << 16
LARGEST_CALENDAR = 1 << 20


def with_files(found: list[tuple[Shape, Spot]], directory: Path, files: Files, filler: Filler) -> list[tuple[Shape, Spot]]:
    """Replace paths in checks by the content of the files; report files that cannot be read."""
    return [(_with_file(shape, spot, directory, files, filler), spot) for shape, spot in found]


def _with_file(shape: Shape, spot: Spot, directory: Path, files: Files, filler: Filler) -> Shape:
    match shape:
        case ScanCheck() if shape.ignore is not None:
            text = _text(shape.ignore, spot / "ignore", directory, files, filler)
            return shape if text is None else shape.model_copy(update={"ignore": text})
        case SignatureCheck() if shape.key is not None:
            return _with_key(shape, shape.key, spot / "key", directory, files, filler)
        case Window() if shape.calendar:
            return _with_calendars(shape, spot / "calendar", directory, files, filler)
    return shape


def _with_key(shape: SignatureCheck, key: str, spot: Spot, directory: Path, files: Files, filler: Filler) -> Shape:
    if names_in(key) or is_address(key):
        return shape
    text = key if is_pem(key) else _text(key, spot, directory, files, filler)
    if text is not None and not (is_pem(text) and "PUBLIC KEY-----" in text):
        filler.complain(spot, "this is not a public key in PEM form", "name the cosign.pub that `cosign generate-key-pair` wrote")
    return shape if text is None else shape.model_copy(update={"key": text.strip() + "\n"})


def _with_calendars(gate: Window, spot: Spot, directory: Path, files: Files, filler: Filler) -> Shape:
    texts = []
    for place, name in enumerate(gate.calendar):
        text = _text(name, spot / place, directory, files, filler, LARGEST_CALENDAR)
        if text is None:
            continue
        try:
            read_calendar(text)
        except ValueError as error:
            hint = "repair the event, or export the calendar again" if "event" in str(error) else "name an .ics file"
            filler.complain(spot / place, f"{name} is not a usable calendar: {error}", hint)
        else:
            texts.append(text)
    return gate.model_copy(update={"calendar": tuple(texts)})


def _text(name: str, spot: Spot, directory: Path, files: Files, filler: Filler, largest: int = LARGEST) -> str | None:
    text = files.text(directory / name)
    if text is None:
        filler.complain(
            spot, f"cannot read {name} as UTF-8 text: {files.why(directory / name)}", "name a file, relative to this one"
        )
    elif len(text.encode()) > largest:
        filler.complain(spot, f"{name} is longer than {largest} bytes", "make it shorter: it is part of every plan")
    elif OPENING in text:
        filler.complain(spot, f"the text of {name} looks like the internal placeholder of a secret", FORGED)
    else:
        return text
    return None
