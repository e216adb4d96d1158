"""The global options of every command, as one value."""

import os
import shlex
from dataclasses import fields
from pathlib import Path

from promoter.model.dataclass import dataclass
from promoter.model.errors import CallerError

DEFAULT_FILE = "pipeline.yaml"


@dataclass(frozen=True)
class Common:
    """The global options of one call. `file` is None when none was named."""

    file: Path | None = None
    json: bool = False
    ledger: str | None = None
    actor: str | None = None
    quiet: bool = False
    verbose: bool = False

    def over(self, other: "Common") -> "Common":
        """Merge with the options before the command; those after it win."""
        return Common(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(Common)})

    def at(self, argument: Path | None) -> "Common":
        """Use the file that `run`, `build` or `validate` got as an argument."""
        if argument and self.file and argument != self.file:
            raise CallerError(f"two pipeline files are named: {argument} and {self.file}", hint="name one of them")
        return Common(file=argument).over(self)

    @property
    def named(self) -> Path | None:
        """Return the pipeline file if it must be named again, because it is not the default."""
        return None if self.file is None or str(self.file) == DEFAULT_FILE else self.file

    @property
    def pipeline(self) -> Path:
        """Return the pipeline file: as named, or PROMOTER_FILE, or `pipeline.yaml` here."""
        return self.file or Path(os.environ.get("PROMOTER_FILE") or DEFAULT_FILE)


def options(common: Common) -> str:
    """Return the options that the next command needs for the same pipeline and ledger."""
    words = [*(["-f", str(common.named)] if common.named else []), *(["--ledger", common.ledger] if common.ledger else [])]
    return shlex.join(words)
