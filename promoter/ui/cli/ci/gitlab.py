"""GitLab CI: a log in sections; dotenv and JUnit reports by default."""

import sys
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from promoter.ui.cli.ci.none import NoCi
from promoter.ui.reports.progress_lines import clean

if TYPE_CHECKING:
    from promoter.promotion.progress import Listener


class Gitlab(NoCi):
    """One call in a job."""

    junit = ".promoter/junit.xml"
    dotenv = ".promoter/promoter.env"

    def text(self, text: str) -> str:
        """Remove control characters: section markers consist of them."""
        return "\n".join(clean(line) for line in text.split("\n"))

    def progress(self) -> "AbstractContextManager[Listener]":
        from promoter.ui.reports.gitlab.log import GitlabLog
        from promoter.ui.reports.sections import Lanes

        return Lanes(GitlabLog(sys.stderr))
