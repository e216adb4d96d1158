"""One call of the command line, as far as a CI platform needs to know it."""

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING

from promoter.model.errors import PromoterError
from promoter.model.redaction import Redact, unchanged
from promoter.ui.cli.global_options import Common

if TYPE_CHECKING:
    from promoter.adapters.settings import Settings
    from promoter.pipeline.loader_port import Loaded


class Call:
    """`verb` is the command's name. `loaded` is its pipeline, once that is known."""

    def __init__(self, common: Common, verb: str) -> None:
        self.common, self.verb = common, verb
        self.loaded: Loaded | None = None
        self.redact: Redact = unchanged
        """Takes the values of secrets out of a text, once there may be some."""

    @cached_property
    def settings(self) -> "Settings":
        """All defaults where they cannot be read: callers that depend on them report the error."""
        from promoter.adapters.settings import Settings, load_settings

        with suppress(PromoterError):
            return load_settings(self.common.pipeline.parent)
        return Settings()
