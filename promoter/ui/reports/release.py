"""`promoter show` and `promoter diff`: a release and what happened to it, and the differences of two environments."""

from collections.abc import Mapping, Sequence
from typing import Any

from promoter.ledger.chain import Fact
from promoter.model.diff import format_change
from promoter.model.release import Release
from promoter.model.timestamps import read_stamp
from promoter.ui.reports.history import history
from promoter.ui.reports.progress_lines import clean, cut_digests
from promoter.ui.reports.summary import origin
from promoter.ui.reports.view import Cell, View

Document = Mapping[str, Any]


def release(document: Document, facts: Sequence[Fact], view: View) -> str:
    """Format its images, who made it, where it runs, and one line for each promotion and decision of it."""
    made = Release.read(document["release"])
    at = view.moment(read_stamp(document["made_at"]))
    rows: list[tuple[Cell | str, Cell | str]] = [
        ("made", f"{at}, by {clean(document['made_by'])}"),
        ("runs in", ", ".join(document["lives_in"]) or "no environment"),
        *((f"image {name}", _reference(ref.repository, ref.digest, view)) for name, ref in sorted(made.images.items())),
    ]
    if document["tags"]:
        rows.append(("tags", ", ".join(f"{service}:{clean(str(tag))}" for service, tag in document["tags"].items())))
    head = view.line(f"release {view.id(made.id)}{clean(origin(made))}")
    return "\n".join([head, *view.table(rows), "", history(facts, view, made.id)])


def difference(document: Document, view: View) -> str:
    """Format releases, images, commits and configuration, left to right."""
    sides = [(side["environment"], Release.read(side["release"])) for side in (document["left"], document["right"])]
    parts = ["\n".join(view.table([(name, f"release {view.id(one.id)}{clean(origin(one))}") for name, one in sides], ""))]
    parts.append(_section("images", [_image(image, view) for image in document["images"]], view))
    if document["commits"] is not None:
        parts.append(_section(f"commits in {sides[0][0]} and not in {sides[1][0]}", document["commits"], view))
    changes = [format_change(change) for change in document["changes"]]
    parts.append(_section("configuration", changes if view.verbose else [cut_digests(text) for text in changes], view))
    return "\n".join(parts)


def _reference(repository: object, digest: object, view: View) -> str:
    return f"{repository}@{view.digest(str(digest))}"


def _image(image: Document, view: View) -> str:
    left, right = (view.digest(image[side]) if image[side] else "(none)" for side in ("left", "right"))
    return f"{image['service']}: {left} -> {right}"


def _section(title: str, lines: Sequence[str], view: View) -> str:
    if not lines:
        return "\n".join(view.wrap(f"{title}: the same", first=""))
    return "\n".join(
        [*view.wrap(f"{title}:", first=""), *(part for line in lines for part in view.wrap(clean(line), "    ", "  "))]
    )
