"""No known CI: plain text, and the reports that any CI can read, where the settings name a file."""

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promoter.model.visible_text import visible
from promoter.ui.cli.streams import write

if TYPE_CHECKING:
    from promoter.promotion.progress import Event, Listener
    from promoter.ui.cli.ci.call import Call
    from promoter.ui.reports.junit import Record
    from promoter.ui.reports.run_report import RunReport

OFF = "none"
_PROMOTING = ("run", "promote", "rollback")


class NoCi:
    """Base CI reporter: reports results and escapes text that others wrote. Platforms override it."""

    junit: str | None = None
    dotenv: str | None = None
    """The default files of these reports, in the directory of the pipeline file."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self.record: Record | None = None

    def text(self, text: str) -> str:
        """Text for people, on either stream."""
        return visible(text)

    def json(self, text: str) -> str:
        """Return the document unchanged."""
        return text

    def progress(self) -> "AbstractContextManager[Listener] | None":
        """Return the platform's own progress display; None if it has none."""
        return None

    def listening(self, listener: "Listener") -> "Listener":
        """Pass each event to `listener` and to the report."""
        if self._report_path(self.call.settings.junit, self.junit) is None:
            return listener
        from promoter.ui.reports.junit import Record

        record = self.record = Record()

        def both(event: "Event") -> None:
            record(event)
            listener(event)

        return both

    def mask(self, value: str) -> None:
        """Hide the value of a secret."""

    def warn(self, text: str) -> None:
        """Report a problem that does not change the result."""
        write(sys.stderr, self.text(self.call.redact(f"promoter: {text}")))

    def notice(self, text: str) -> None:
        """Report something that is not a problem."""
        write(sys.stderr, self.text(self.call.redact(f"promoter: {text}")))

    def ended(self, ended: "RunReport") -> None:
        """Report the result of a verb."""
        from promoter.ui.reports.outputs import outputs

        self.attempt(lambda: self._put_dotenv(outputs(ended.result, ended.named, ended.url)))
        if (record := self.record) is not None and ended.verb in _PROMOTING:
            self.attempt(lambda: self._put_junit(record.of_result(ended.result)))

    def failed(self, error: Exception, document: Mapping[str, Any]) -> None:  # noqa: ARG002 -- platforms use the error itself
        """Report a verb that ended without a result; `document` is the JSON form of the error."""
        from promoter.ui.reports.outputs import outputs_of_failure

        self.attempt(lambda: self._put_dotenv(outputs_of_failure(document)))
        if self.call.verb in _PROMOTING and self._report_path(self.call.settings.junit, self.junit) is not None:
            from promoter.ui.reports.junit import Record

            record = self.record or Record()
            self.attempt(lambda: self._put_junit(record.of_failure(self.call.verb, document)))

    def attempt(self, part: Callable[[], None]) -> None:
        """Make one part of a report. An error in a report must not change how the command ends."""
        try:
            part()
        except Exception as error:  # noqa: BLE001 -- see above
            self.warn(f"a part of the report is missing: {type(error).__name__}: {error}")

    # ------------------------------------------------------------ files
    def _report_path(self, configured: str | None, default: str | None) -> Path | None:
        """Return the file of a report: as configured, relative to the working directory, else the default."""
        if configured is not None:
            return None if configured == OFF else Path(configured)
        return self.call.common.pipeline.parent / default if default else None

    def _put_dotenv(self, values: Mapping[str, str]) -> None:
        from promoter.ui.reports.dotenv import dotenv

        self._put(
            "dotenv", self._report_path(self.call.settings.dotenv, self.dotenv), lambda: dotenv(values).encode(errors="replace")
        )

    def _put_junit(self, report: bytes) -> None:
        self._put("JUnit", self._report_path(self.call.settings.junit, self.junit), lambda: report)

    def _put(self, what: str, path: Path | None, make: Callable[[], bytes]) -> None:
        from promoter.adapters.platforms.ci_files import replace

        why = None if path is None else replace(path, make())
        if why is not None:
            self.warn(f"the {what} report cannot be written to {path}: {why}")
