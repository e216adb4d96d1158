"""GitHub Actions: a log in groups, masks, annotations, outputs and the step summary.

Workflow commands go to stderr; stdout holds only the answer. A file that cannot be written is a warning.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TextIO

from promoter.model.errors import InvalidFile
from promoter.ui.cli.ci.none import NoCi
from promoter.ui.reports.github.commands import assignments, command, fenced, harmless, harmless_json
from promoter.ui.reports.github.log import GithubLog
from promoter.ui.reports.outputs import outputs, outputs_of_failure

if TYPE_CHECKING:
    from promoter.promotion.progress import Listener
    from promoter.promotion.results import EnvironmentResult
    from promoter.ui.cli.ci.call import Call
    from promoter.ui.reports.run_report import RunReport

LARGEST_SUMMARY = 1024 * 1024
"""The largest step summary that GitHub accepts, in bytes."""


class Github(NoCi):
    """One call in a step of a workflow."""

    def __init__(self, call: "Call", stream: TextIO) -> None:
        super().__init__(call)
        self._log = GithubLog(stream)

    def text(self, text: str) -> str:
        return fenced(text)

    def json(self, text: str) -> str:
        return harmless_json(text)

    def progress(self) -> "AbstractContextManager[Listener]":
        from promoter.ui.reports.sections import Lanes

        return Lanes(self._log)

    def mask(self, value: str) -> None:
        from promoter.adapters.secrets import SHORTEST

        self._log.mask(value, SHORTEST)

    def warn(self, text: str) -> None:
        self._log.commands([command("warning", text, {"title": "promoter"})])

    def notice(self, text: str) -> None:
        self._log.commands([command("notice", text, {"title": "promoter"})])

    def ended(self, ended: "RunReport") -> None:
        from promoter.ui.reports.github.summary import summary

        super().ended(ended)
        self.attempt(lambda: self._put_outputs(outputs(ended.result, ended.named, ended.url)))
        self.attempt(lambda: self._annotate_result(ended))
        self.attempt(lambda: self._put_summary(lambda limit: summary(ended, limit)))

    def failed(self, error: Exception, document: Mapping[str, Any]) -> None:
        from promoter.ui.reports.github.summary import summary_of_failure

        super().failed(error, document)
        self.attempt(lambda: self._put_outputs(outputs_of_failure(document)))
        self.attempt(lambda: self._annotate(self._about_error(error, document)))
        self.attempt(lambda: self._put_summary(lambda limit: summary_of_failure(self.call.verb, document, limit)))

    # ------------------------------------------------------------ annotations
    def _annotate(self, lines: list[str]) -> None:
        if self.call.settings.annotations:
            self._log.commands(lines)

    def _annotate_result(self, ended: "RunReport") -> None:
        """Annotate nothing for `plan`: what it finds has not happened."""
        if ended.verb != "plan":
            self._annotate([line for one in ended.result.environments if (line := self._about(one, ended.options))])

    def _about(self, one: "EnvironmentResult", options: str) -> str | None:
        """Annotate an environment that needs attention, on its line in the pipeline file."""
        from promoter.ui.reports.github import annotations as form

        severity, loaded = form.level(one), self.call.loaded
        if severity is None or loaded is None:
            return None
        complaint = loaded.complaint(one.name, form.message(one), form.hint(one, options))
        return form.annotation(severity, complaint, self._file(complaint.file), form.title(one))

    def _about_error(self, error: Exception, document: Mapping[str, Any]) -> list[str]:
        from promoter.ui.reports.github.annotations import annotation

        title = f"promoter {self.call.verb}".strip()
        if isinstance(error, InvalidFile):
            return [annotation("error", one, self._file(one.file), title) for one in error.complaints]
        fault = document["error"]
        text = harmless(fault["message"] + (f"\n{fault['hint']}" if fault["hint"] else ""))
        return [command("error", text, {"title": title})]

    def _file(self, file: str) -> str | None:
        from promoter.adapters.platforms.ci_files import relative

        return relative(file, self.call.common.pipeline.parent, os.environ.get("GITHUB_WORKSPACE"))

    # ------------------------------------------------------------ files
    def _put_outputs(self, values: Mapping[str, str]) -> None:
        self._append("outputs", "GITHUB_OUTPUT", assignments(values))

    def _put_summary(self, make: Callable[[int], str]) -> None:
        from promoter.adapters.platforms.ci_files import size

        file = os.environ.get("GITHUB_STEP_SUMMARY")
        if file and self.call.settings.summary:
            self._append("step summary", "GITHUB_STEP_SUMMARY", make(LARGEST_SUMMARY - size(file)))

    def _append(self, what: str, variable: str, text: str) -> None:
        from promoter.adapters.platforms.ci_files import append

        file = os.environ.get(variable)
        why = append(file, text) if file else None
        if why is not None:
            self.warn(f"the {what} cannot be written to {file}, which {variable} names: {why}")
