"""On GitLab."""

from promoter.cli.elsewhere import Elsewhere


class Gitlab(Elsewhere):
    pass
