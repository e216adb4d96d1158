"""On GitHub: a log in groups, masks, annotations, outputs and the step summary.

Commands go to stderr; stdout stays the answer. A file of GitHub's that cannot be written is a warning.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TextIO

from promoter.cli.elsewhere import Elsewhere
from promoter.reports.github.commands import assignments, command, fenced, harmless_json
from promoter.reports.github.log import Log
from promoter.reports.outputs import outputs, outputs_of_failure

if TYPE_CHECKING:
    from promoter.cli.desk import Desk
    from promoter.model.events import Listener
    from promoter.reports.ended import Ended


class Github(Elsewhere):
    """One call in a step of a workflow."""

    def __init__(self, desk: "Desk", stream: TextIO) -> None:
        super().__init__(desk)
        self._log = Log(stream)

    def text(self, text: str) -> str:
        return fenced(text)

    def json(self, text: str) -> str:
        return harmless_json(text)

    def progress(self) -> "AbstractContextManager[Listener]":
        from promoter.reports.lanes import Lanes

        return Lanes(self._log)

    def mask(self, value: str) -> None:
        from promoter.adapters.secrets import SHORTEST

        self._log.mask(value, SHORTEST)

    def warn(self, text: str) -> None:
        self._log.commands([command("warning", text, {"title": "promoter"})])

    def ended(self, ended: "Ended") -> None:
        super().ended(ended)
        self._put_outputs(outputs(ended.result, ended.named, ended.url))

    def failed(self, error: Exception, document: Mapping[str, Any]) -> None:
        super().failed(error, document)
        self._put_outputs(outputs_of_failure(document))

    def _put_outputs(self, values: Mapping[str, str]) -> None:
        self._append("outputs", "GITHUB_OUTPUT", assignments(values))

    def _append(self, what: str, variable: str, text: str) -> None:
        from promoter.adapters.ci.files import append

        file = os.environ.get(variable)
        why = append(file, text) if file else None
        if why is not None:
            self.warn(f"the {what} cannot be written to {file}, which {variable} names: {why}")
