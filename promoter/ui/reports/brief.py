"""The progress that is shown without `--verbose`: what ended, not each step, and the log of a build only if it fails."""

from promoter.promotion import progress as e
from promoter.ui.reports.progress_lines import sentence

_SHOWN = (e.Pushed, e.Pinned, e.ReleaseMade, e.Notice, e.Restoring, e.Superseded, e.Waiting, e.EnvironmentEnded)


class Brief:
    """Chooses the events to show, and keeps the lines of builds until they have ended."""

    def __init__(self) -> None:
        self._logs: dict[str, list[str]] = {}

    def shows(self, event: e.Event) -> bool:
        match event:
            case e.BuildStarted():
                self._logs[event.service] = []
            case e.BuildLine():
                self._logs.setdefault(event.service, []).append(sentence(event) or "")
            case e.BuildDone():
                self._logs.pop(event.service, None)
        return isinstance(event, _SHOWN)

    def unfinished(self) -> list[str]:
        """Return the log of each build that began and did not end well."""
        return [line for lines in self._logs.values() for line in lines]
