"""Load a valid pipeline file, for verbs that need no engine and no registry."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promoter.ui.cli.console import complain

if TYPE_CHECKING:
    from promoter.model.errors import Diagnostic
    from promoter.model.release import Source
    from promoter.pipeline.loader import LoadedPipeline


def checked(file: Path) -> "LoadedPipeline":
    """Check every rule for every environment. Git runs only if a template needs it. Raise InvalidFile."""
    from promoter.adapters.git.tracked import GitCheckout
    from promoter.pipeline.loader import validate

    return validate(file, source=lambda: source_of(file), environ=os.environ, checkout=GitCheckout())


def source_of(file: Path) -> "Source":
    """Return the source of the file's checkout."""
    from promoter.adapters.git.source import GitSource

    return GitSource().source(file.parent.resolve())


def print_remarks(remarks: Sequence["Diagnostic"]) -> None:
    """Print what is ignored in a file, one line each, on stderr."""
    for one in remarks:
        complain(f"remark: {one.file}:{one.line}:{one.column}: {one.message}")
