"""The CI session of a call: one for each call, made when its verb is known.

The platform is detected here, once. `github.py` and `gitlab.py` report to it, with the texts of `reports/`.
Nothing that a session does changes how a command ends.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from promoter.model.errors import PromoterError
from promoter.model.redaction import redacted
from promoter.ui.cli.ci.call import Call
from promoter.ui.cli.global_options import Common

if TYPE_CHECKING:
    from promoter.promotion.results import RunResult
    from promoter.ui.cli.ci.none import NoCi

REPORTED = ("run", "build", "promote", "ci", "plan", "rollback", "validate", "")
"""Verbs whose failures are reported to the CI, and the call that names no verb."""


class CiSession(Call):
    """A call, and the CI platform that runs it."""

    @cached_property
    def platform(self) -> "NoCi":
        from promoter.adapters.settings import Ci
        from promoter.ui.cli.ci.detect import ci_of

        match ci_of(self.settings):
            case Ci.GITHUB:
                from promoter.ui.cli.ci.github import Github

                return Github(self, sys.stderr)
            case Ci.GITLAB:
                from promoter.ui.cli.ci.gitlab import Gitlab

                return Gitlab(self)
        from promoter.ui.cli.ci.none import NoCi

        return NoCi(self)

    def ended(self, result: "RunResult", named: str | None, options: str) -> None:
        """Report the result; `named` is the environment that the command named."""
        from promoter.ui.reports.run_report import RunReport

        needs, urls = self.loaded.pipeline.needs if self.loaded else {}, self._urls(result)
        result = replace(result, environments=redacted(result.environments, self.redact))
        self.platform.ended(RunReport(self.verb, result, named, options, needs, redacted(urls, self.redact)))

    def failed(self, error: Exception, document: Mapping[str, Any]) -> None:
        """Report a verb that ended without a result; `document` is the JSON form of the error."""
        if self.verb in REPORTED:
            self.platform.failed(error, redacted(document, self.redact))

    def _urls(self, result: "RunResult") -> dict[str, str]:
        """Return the URL of each environment."""
        loaded, release = self.loaded, result.release
        if loaded is None or release is None:
            return {}
        with suppress(PromoterError):
            found = {one.name: loaded.url(one.name, release) for one in result.environments}
            return {name: url for name, url in found.items() if url is not None}
        return {}


_CURRENT: ContextVar[CiSession] = ContextVar("ci_session")


@contextmanager
def new_session() -> Iterator[None]:
    """Give one command line a session of its own; `start_verb` replaces it when the verb is known."""
    token = _CURRENT.set(CiSession(Common(), ""))
    try:
        yield
    finally:
        _CURRENT.reset(token)


def start_verb(common: Common, verb: str) -> None:
    """Make the session of this verb the current one."""
    _CURRENT.set(CiSession(common, verb))


def current() -> CiSession:
    """Return the session of this command line.

    Raise LookupError in a thread that did not get a copy of the context: a session with defaults would print secrets.
    """
    return _CURRENT.get()
