"""A pipeline file that was found good: for the verbs that ask nothing of any engine or registry."""

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
    """Every rule, every environment. Git is asked only when a template wants to know. Raises InvalidFile."""
    from promoter.adapters.git.tracked import GitCheckout
    from promoter.pipeline.loader import validate

    return validate(file, source=lambda: source_of(file), environ=os.environ, checkout=GitCheckout())


def source_of(file: Path) -> "Source":
    """What the file's checkout says."""
    from promoter.adapters.git.source import GitSource

    return GitSource().source(file.parent.resolve())


def say_remarks(remarks: Sequence["Diagnostic"]) -> None:
    """What of a file is left out, a line each, on stderr."""
    for one in remarks:
        complain(f"remark: {one.file}:{one.line}:{one.column}: {one.message}")
