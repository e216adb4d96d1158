"""Where no CI is known: text as it is, and the reports that any CI can read, where somebody asked for them."""

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promoter.model.visible_text import visible
from promoter.ui.cli.streams import write
from promoter.ui.reports.outputs import outputs, outputs_of_failure

if TYPE_CHECKING:
    from promoter.promotion.progress import Event, Listener
    from promoter.ui.cli.ci.call import Call
    from promoter.ui.reports.junit import Record
    from promoter.ui.reports.run_report import RunReport

OFF = "none"
_PROMOTING = ("run", "promote", "rollback")


class NoCi:
    """What a CI is told, and how text must leave so that it is only text there. Others say it in their own way."""

    junit: str | None = None
    dotenv: str | None = None
    """Where these go without being asked, beside the pipeline file."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self.record: Record | None = None

    def text(self, text: str) -> str:
        """Text for people, on either stream."""
        return visible(text)

    def json(self, text: str) -> str:
        """The same document."""
        return text

    def progress(self) -> "AbstractContextManager[Listener] | None":
        """Its own way to show what goes on; None where it has none."""
        return None

    def listening(self, listener: "Listener") -> "Listener":
        """Hears all that the listener hears, for the report of it."""
        if self._place(self.call.settings.junit, self.junit) is None:
            return listener
        from promoter.ui.reports.junit import Record

        record = self.record = Record()

        def both(event: "Event") -> None:
            record(event)
            listener(event)

        return both

    def mask(self, value: str) -> None:
        """A secret that is now known here."""

    def warn(self, text: str) -> None:
        """Something that is not as it should be and changes nothing."""
        write(sys.stderr, self.text(self.call.redact(f"promoter: {text}")))

    def ended(self, ended: "RunReport") -> None:
        """A verb has its result."""
        self.attempt(lambda: self._put_dotenv(outputs(ended.result, ended.named, ended.url)))
        if (record := self.record) is not None and ended.verb in _PROMOTING:
            self.attempt(lambda: self._put_junit(record.of_result(ended.result)))

    def failed(self, error: Exception, document: Mapping[str, Any]) -> None:  # noqa: ARG002 -- others say the error itself
        """A verb ended before it had a result; `document` is the JSON form of the error."""
        self.attempt(lambda: self._put_dotenv(outputs_of_failure(document)))
        if self.call.verb in _PROMOTING and self._place(self.call.settings.junit, self.junit) is not None:
            from promoter.ui.reports.junit import Record

            record = self.record or Record()
            self.attempt(lambda: self._put_junit(record.of_failure(self.call.verb, document)))

    def attempt(self, part: Callable[[], None]) -> None:
        """One part of a report. What is done is done: no fault in telling of it may change how the command ends."""
        try:
            part()
        except Exception as error:  # noqa: BLE001 -- see above
            self.warn(f"a part of the report is missing: {type(error).__name__}: {error}")

    # ------------------------------------------------------------ files
    def _place(self, said: str | None, usual: str | None) -> Path | None:
        """Where a report goes: as the settings say, from the working directory; else where it goes without being asked."""
        if said is not None:
            return None if said == OFF else Path(said)
        return self.call.common.pipeline.parent / usual if usual else None

    def _put_dotenv(self, values: Mapping[str, str]) -> None:
        from promoter.ui.reports.dotenv import dotenv

        self._put("dotenv", self._place(self.call.settings.dotenv, self.dotenv), lambda: dotenv(values).encode(errors="replace"))

    def _put_junit(self, report: bytes) -> None:
        self._put("JUnit", self._place(self.call.settings.junit, self.junit), lambda: report)

    def _put(self, what: str, path: Path | None, make: Callable[[], bytes]) -> None:
        from promoter.adapters.platforms.ci_files import replace

        why = None if path is None else replace(path, make())
        if why is not None:
            self.warn(f"the {what} report cannot be written to {path}: {why}")
