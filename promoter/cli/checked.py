"""A pipeline file that was found good: for the verbs that ask nothing of any engine or registry."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promoter.cli.output import complain

if TYPE_CHECKING:
    from promoter.adapters.pipeline_file.load import LoadedPipeline
    from promoter.model.errors import Complaint
    from promoter.model.release import Source


def checked(file: Path) -> "LoadedPipeline":
    """Every rule, every environment. Git is asked only when a template wants to know. Raises FileFaults."""
    from promoter.adapters.pipeline_file.load import validate

    return validate(file, source=lambda: source_of(file), environ=os.environ)


def source_of(file: Path) -> "Source":
    """What the file's checkout says."""
    from promoter.adapters.source import GitSource

    return GitSource().source(file.parent.resolve())


def say_remarks(remarks: Sequence["Complaint"]) -> None:
    """What of a file is left out, a line each, on stderr."""
    for one in remarks:
        complain(f"remark: {one.file}:{one.line}:{one.column}: {one.message}")
