"""Where no CI is known: text as it is, and the reports that any CI can read, where somebody asked for them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promoter.reports.outputs import outputs, outputs_of_failure

if TYPE_CHECKING:
    from promoter.cli.desk import Desk
    from promoter.model.events import Listener
    from promoter.reports.ended import Ended

OFF = "none"


class Elsewhere:
    """What a CI is told, and how text must leave so that it is only text there. Others say it in their own way."""

    def __init__(self, desk: "Desk") -> None:
        self.desk = desk

    def text(self, text: str) -> str:
        """Text for people, on either stream."""
        return text

    def json(self, text: str) -> str:
        """The same document."""
        return text

    def progress(self) -> "AbstractContextManager[Listener] | None":
        """Its own way to show what goes on; None where it has none."""
        return None

    def mask(self, value: str) -> None:
        """A secret that is now known here."""

    def warn(self, text: str) -> None:
        """Something that is not as it should be and changes nothing."""
        from promoter.cli.output import complain

        complain(f"promoter: {text}")

    def ended(self, ended: "Ended") -> None:
        """A verb has its result."""
        self._write_dotenv(outputs(ended.result, ended.named, ended.url))

    def failed(self, error: Exception, document: Mapping[str, Any]) -> None:  # noqa: ARG002 -- others say the error itself
        """A verb ended before it had a result; `document` is the JSON form of the error."""
        self._write_dotenv(outputs_of_failure(document))

    # ------------------------------------------------------------ files
    def place(self, said: str | None) -> Path | None:
        """Where a report goes: as the settings say, from the working directory."""
        return None if said in (None, OFF) else Path(said)

    def _write_dotenv(self, values: Mapping[str, str]) -> None:
        from promoter.reports.dotenv import dotenv

        self._write("dotenv", self.place(self.desk.settings.dotenv), lambda: dotenv(values).encode())

    def _write(self, what: str, path: Path | None, make: Callable[[], bytes]) -> None:
        from promoter.adapters.ci.files import replace

        why = None if path is None else replace(path, make())
        if why is not None:
            self.warn(f"the {what} report cannot be written to {path}: {why}")
