"""Gates, checks before the switch and verifications: lists of entries with a single key, which is their kind."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from promoter.config.spec_errors import nearest
from promoter.config.yaml.scalars import kind_of
from promoter.gates.check_base import GateShape
from promoter.gates.checks import CommandCheck, ContainerCheck, JobCheck, is_irreversible
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.pipeline.problems import Spot
from promoter.pipeline.sources import unknown
from promoter.pipeline.template_filler import Filler

G = TypeVar("G", bound=GateShape)


def read_kinds(value: object, spot: Spot, kinds: Mapping[str, type[G]], word: str, filler: Filler) -> list[tuple[G, Spot]]:
    """Read each entry, with its position. Leave out wrong entries, after reporting them."""
    if value is None:
        return []
    if not isinstance(value, list):
        filler.complain(spot, f"`{spot.path[-1]}` must be a list, got {kind_of(value)}", "begin each entry with `- `")
        return []
    found: list[tuple[G, Spot]] = []
    for index, entry in enumerate(value):
        shape = _read_entry(entry, spot / index, kinds, word, filler)
        if shape is not None:
            found.append((shape, spot / index / shape.kind))
    return found


def _read_entry(entry: object, spot: Spot, kinds: Mapping[str, type[G]], word: str, filler: Filler) -> G | None:
    example = f"write for example `- {next(iter(kinds))}: {{…}}`"
    if not isinstance(entry, dict) or not entry:
        filler.complain(spot, f"a {word} must be a mapping, got {kind_of(entry)}", example)
        return None
    names = [key for key in entry if not key.startswith("x-")]
    strange = [key for key in names if key not in kinds]
    for key in strange:
        filler.complain(spot / key, f"unknown {word} `{key}`", nearest(key, kinds, "known"), on_key=True)
    if not strange and len(names) != 1:
        filler.complain(spot, f"expected one kind of {word}, got {', '.join(names) or 'none'}", "write a separate entry for each")
    if strange or len(names) != 1:
        return None
    kind = names[0]
    return filler.read(kinds[kind], {} if entry[kind] is None else entry[kind], spot / kind)


def check_reversible(found: Sequence[tuple[GateShape, Spot]], key: str, filler: Filler) -> None:
    """Check that only jobs before the switch have `reversible`, and that an irreversible one is no dry run."""
    for shape, spot in found:
        if not isinstance(shape, JobCheck) or "reversible" not in shape.model_fields_set:
            continue
        if key != "before":
            message = f"`reversible` describes jobs under `before`, and has no effect under `{key}`"
            filler.complain(spot / "reversible", message, "remove it, or move the job to `before`", on_key=True)
        elif is_irreversible(shape) and shape.dry_run:
            message = "an irreversible job cannot be a dry run, because its failure would not stop the promotion"
            filler.complain(spot / "dry_run", message, "remove `dry_run` or `reversible`", on_key=True)


def check_services(found: Sequence[tuple[GateShape, Spot]], services: tuple[str, ...], filler: Filler) -> None:
    """Check that named services exist, and that command checks name a program."""
    for shape, spot in found:
        if isinstance(shape, CommandCheck) and not shape.run:
            filler.complain(spot / "run", "`run` names no program", 'write for example ["./smoke.sh"]')
        if isinstance(shape, ContainerCheck) and shape.service not in services:
            filler.complain(spot / "service", *unknown(shape.service, "service", services))
        if isinstance(shape, (ScanCheck, SignatureCheck)):
            for name in shape.service:
                if name not in services:
                    filler.complain((spot / "service").entry(name), *unknown(name, "service", services))
