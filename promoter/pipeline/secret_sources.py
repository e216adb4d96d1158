"""The `secrets` mapping: where the value of each secret comes from. No value is read here."""

import os
from pathlib import Path

from promoter.config.spec import Reading
from promoter.model.pattern import pattern
from promoter.model.secrets import CommandSource, EnvSource, FileSource, SecretSource
from promoter.pipeline.compose.definitions import SecretForm
from promoter.pipeline.problems import Spot
from promoter.pipeline.sources import entries
from promoter.pipeline.template_filler import Filler

_NAME = pattern(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def read_secrets(secrets: object, at: Spot, reading: Reading, base: Path, filler: Filler) -> dict[str, SecretSource]:
    """Return every declared name, also wrong ones, so that using one is no second error. `base` is the pipeline's directory."""
    found: dict[str, SecretSource] = {}
    for name, value, spot in entries(secrets, at, filler.complaints):
        if not _NAME.fullmatch(name):
            filler.complain(spot, f"{name!r} is not a valid secret name", "use letters, digits and . _ -", on_key=True)
            continue
        form = filler.read(SecretForm, value, spot, reading)
        found[name] = _source(form, reading, base) if form else EnvSource(name)
    return found


def _source(form: SecretForm, reading: Reading, base: Path) -> SecretSource:
    if form.command is not None:
        return CommandSource(form.command)
    if form.file is not None:
        as_written = reading.directory == base or Path(form.file).is_absolute()
        return FileSource(form.file if as_written else os.path.relpath(reading.directory / form.file, base))
    return EnvSource(form.env or form.environment or "")
