"""Files that gates and checks use: ignore files of scanners, keys of signatures, calendars.

Their content becomes part of the gate or check, so that plans and policies include it: changing the file makes approvals
stale.
"""

from collections.abc import Sequence
from pathlib import Path

from promoter.gates.check_base import GateShape
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck, is_address, is_pem
from promoter.gates.window.icalendar import read_calendar
from promoter.gates.window.rule import Window
from promoter.model.secrets import OPENING, names_in
from promoter.pipeline.gate_list import G
from promoter.pipeline.mounted_files import FORGED, Files
from promoter.pipeline.problems import Spot
from promoter.pipeline.template_filler import Filler

LARGEST = 1 << 16
LARGEST_CALENDAR = 1 << 20


def with_files(found: Sequence[tuple[G, Spot]], directory: Path, files: Files, filler: Filler) -> list[tuple[G, Spot]]:
    """Replace paths in checks by the content of the files; report files that cannot be read."""
    return [(shape.model_copy(update=_contents(shape, spot, directory, files, filler)), spot) for shape, spot in found]


def _contents(shape: GateShape, spot: Spot, directory: Path, files: Files, filler: Filler) -> dict[str, object]:
    match shape:
        case ScanCheck() if shape.ignore is not None:
            text = _text(shape.ignore, spot / "ignore", directory, files, filler)
            return {} if text is None else {"ignore": text}
        case SignatureCheck() if shape.key is not None:
            key = _key(shape.key, spot / "key", directory, files, filler)
            return {} if key is None else {"key": key}
        case Window() if shape.calendar:
            return {"calendar": _calendars(shape.calendar, spot / "calendar", directory, files, filler)}
    return {}


def _key(key: str, spot: Spot, directory: Path, files: Files, filler: Filler) -> str | None:
    """Return the text of a public key; None for a secret, an address, and a file that cannot be read."""
    if names_in(key) or is_address(key):
        return None
    text = key if is_pem(key) else _text(key, spot, directory, files, filler)
    if text is not None and not (is_pem(text) and "PUBLIC KEY-----" in text):
        filler.complain(spot, "this is not a public key in PEM form", "name the cosign.pub that `cosign generate-key-pair` wrote")
    return None if text is None else text.strip() + "\n"


def _calendars(names: Sequence[str], spot: Spot, directory: Path, files: Files, filler: Filler) -> tuple[str, ...]:
    texts = []
    for index, name in enumerate(names):
        text = _text(name, spot / index, directory, files, filler, LARGEST_CALENDAR)
        if text is None:
            continue
        try:
            read_calendar(text)
        except ValueError as error:
            hint = "repair the event, or export the calendar again" if "event" in str(error) else "name an .ics file"
            filler.complain(spot / index, f"{name} is not a usable calendar: {error}", hint)
        else:
            texts.append(text)
    return tuple(texts)


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
