"""`promoter show` and `promoter diff`: a release, and the differences of two environments, as plain text."""

from collections.abc import Mapping, Sequence
from typing import Any

from promoter.model.diff import format_change
from promoter.model.release import Release
from promoter.model.timestamps import read_stamp
from promoter.ui.reports.progress_lines import clean
from promoter.ui.reports.status import when
from promoter.ui.reports.summary import images, origin
from promoter.ui.reports.table import table

Document = Mapping[str, Any]


def release(document: Document) -> str:
    """Format its images, who made it, where it is, and what happened to it."""
    made = Release.read(document["release"])
    tags = ", ".join(f"{service}:{tag}" for service, tag in document["tags"].items())
    head = [
        f"release {made.id}{origin(made)}",
        images(made),
        f"made {when(read_stamp(document['made_at']))} by {clean(document['made_by'])}" + (f", tagged {tags}" if tags else ""),
        f"runs in {', '.join(document['lives_in']) or 'no environment'}",
    ]
    return "\n".join([*head, "", _facts(document["facts"])])


def _facts(facts: Sequence[Document]) -> str:
    rows = [("SEQ", "AT", "KIND", "ENVIRONMENT", "BY", "")]
    return table([*rows, *(_fact(fact) for fact in facts)])


def _fact(fact: Document) -> tuple[str, ...]:
    notes = [str(fact[key]) for key in ("reason_code", "comment") if fact.get(key) and fact[key] != "ok"]
    notes += [f"{name} {fact[key]}ms" for key, name in (("gap_ms", "gap"), ("duration_ms", "took")) if fact.get(key) is not None]
    at, environment = when(read_stamp(fact["at"])), fact.get("environment") or "-"
    return (str(fact["seq"]), at, fact["kind"], environment, clean(fact["actor"]), clean(", ".join(notes)))


def difference(document: Document) -> str:
    """Format releases, images, commits and configuration, left to right."""
    sides = [(side["environment"], Release.read(side["release"])) for side in (document["left"], document["right"])]
    parts = [table([(name, f"release {one.short_id}{origin(one)}") for name, one in sides])]
    parts.append(_section("images", [_image(image) for image in document["images"]]))
    if document["commits"] is not None:
        parts.append(_section(f"commits in {sides[0][0]} and not in {sides[1][0]}", document["commits"]))
    parts.append(_section("configuration", [format_change(change) for change in document["changes"]]))
    return "\n\n".join(parts)


def _image(image: Document) -> str:
    return f"{image['service']}: {image['left'] or '(none)'} -> {image['right'] or '(none)'}"


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {clean(line)}" for line in lines)]) if lines else f"{title}: the same"
