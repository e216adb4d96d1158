"""`--wait` and `--wait-lock`: how long a run may wait, from the options or the settings."""

from datetime import timedelta

from promoter.model.duration import parse_duration
from promoter.model.errors import CallerError
from promoter.ui.cli.global_options import Common


def wait_of(common: Common, value: str | None) -> timedelta | None:
    """None: do not wait; a closed gate ends the run."""
    return _span(common, "--wait", value)


def wait_lock_of(common: Common, value: str | None) -> timedelta | None:
    """None: do not wait; a locked environment ends the run."""
    return _span(common, "--wait-lock", value)


def timeout_of(value: str) -> timedelta:
    span = _parsed("--timeout", value)
    if not span:
        raise CallerError("--timeout: expected a duration above zero, got 0", hint="write for example --timeout 1h")
    return span


def _span(common: Common, flag: str, value: str | None) -> timedelta | None:
    if value is not None:
        return _parsed(flag, value)
    from promoter.adapters.settings import load_settings

    settings = load_settings(common.pipeline.parent)
    return settings.wait if flag == "--wait" else settings.wait_lock


def _parsed(flag: str, value: str) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise CallerError(f"{flag}: {error}") from error
