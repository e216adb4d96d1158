"""On GitLab: a log in sections, and the dotenv and JUnit reports without being asked."""

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from promoter.cli.elsewhere import Elsewhere
from promoter.reports.sentences import clean

if TYPE_CHECKING:
    from promoter.model.events import Listener


class Gitlab(Elsewhere):
    """One call in a job."""

    junit = ".promoter/junit.xml"
    dotenv = ".promoter/promoter.env"

    def text(self, text: str) -> str:
        """Without control characters: a section begins and ends with some."""
        return "\n".join(clean(line) for line in text.split("\n"))

    def progress(self) -> "AbstractContextManager[Listener]":
        from promoter.reports.gitlab.log import Log
        from promoter.reports.lanes import Lanes

        return Lanes(Log(sys.stderr))
