"""`--wait` and `--wait-lock`: how long a run may hold on, from the flags or the settings."""

from datetime import timedelta

from promoter.model.duration import parse_duration
from promoter.model.errors import CallerError
from promoter.ui.cli.global_options import Common


def wait_of(common: Common, said: str | None) -> timedelta | None:
    """None: do not wait, a shut gate ends the run."""
    return _span(common, "--wait", said)


def wait_lock_of(common: Common, said: str | None) -> timedelta | None:
    """None: do not wait, a held environment ends the run."""
    return _span(common, "--wait-lock", said)


def _span(common: Common, flag: str, said: str | None) -> timedelta | None:
    if said is not None:
        try:
            return parse_duration(said)
        except ValueError as error:
            raise CallerError(f"{flag}: {error}") from error
    from promoter.adapters.settings import load_settings

    settings = load_settings(common.pipeline.parent)
    return settings.wait if flag == "--wait" else settings.wait_lock
