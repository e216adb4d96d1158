"""Every way a platform's API fails, as one sentence with its remedy and whether another try may help."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from promoter.model.errors import ForgeError

LONGEST_SAYING = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: for people, after "to"; and the right that it takes."""

    what: str
    permission: str


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who answers, and by which token it was asked, for people."""

    title: str
    host: str
    token: str

    def __str__(self) -> str:
        return f"{self.title} at {self.host}"


def unreachable(who: Answerer, error: Exception) -> ForgeError:
    """Nothing that speaks HTTP came back."""
    from requests import exceptions

    if isinstance(error, exceptions.SSLError):
        return ForgeError(
            f"{who} cannot be trusted: its certificate is vouched for by nobody whom this machine knows",
            hint="name the file of its CA with REQUESTS_CA_BUNDLE or SSL_CERT_FILE",
        )
    if isinstance(error, exceptions.Timeout):
        message = f"{who} does not answer in time"
    elif isinstance(error, exceptions.ChunkedEncodingError):
        message = f"{who} broke off in the middle of its answer"
    else:
        message = f"{who} cannot be reached"
    return ForgeError(message, hint="make sure that this machine reaches it, then run the same command again", retryable=True)


def refused(who: Answerer, asked: Asked, status: int, headers: Mapping[str, str], said: str) -> ForgeError:
    """Any answer that is no success. `said` are the platform's own words."""
    tail = f": {said}" if said else ""
    pause = _pause(headers)
    if status == 429 or (status == 403 and pause is not None):
        when = f"; it asks to be left alone for {pause:.0f} s" if pause else ""
        return ForgeError(
            f"{who} allows no more requests for now ({status}){when}", hint="run the same command again later",
            retryable=True, retry_after=pause,
        )  # fmt: skip
    if status >= 500:
        return ForgeError(
            f"{who} fails with {status} when asked to {asked.what}{tail}",
            hint="run the same command again later", retryable=True, retry_after=pause,
        )  # fmt: skip
    if status == 401:
        return ForgeError(
            f"{who} does not accept the token of {who.token}", hint="it has run out, or it is for another host: set a new one"
        )
    if status == 403:
        return ForgeError(
            f"{who} does not let the token of {who.token} {asked.what}{tail}", hint=f"the token needs {asked.permission}"
        )
    if status == 404:
        return ForgeError(
            f"{who} knows nothing to {asked.what}, or does not show it to the token of {who.token}",
            hint=f"check the names; the token needs {asked.permission}",
        )
    return ForgeError(f"{who} refuses to {asked.what} ({status}){tail}", hint=f"the token needs {asked.permission}")


def elsewhere(who: Answerer, asked: Asked) -> ForgeError:
    """A redirect that would take the token to somebody else."""
    return ForgeError(
        f"{who} sends this to another place when asked to {asked.what}, and a token is not carried there",
        hint="name the API that answers itself: GITHUB_API_URL or CI_API_V4_URL",
    )


def unreadable(who: Answerer, asked: Asked) -> ForgeError:
    return ForgeError(
        f"{who} answers in no form that is known here when asked to {asked.what}",
        hint="make sure that its API answers at that address, and not a login page or a proxy",
    )


def _pause(headers: Mapping[str, str]) -> float | None:
    """Seconds for which it asks to be left alone; None when it does not."""
    after, left, reset = (headers.get(name, "") for name in ("Retry-After", "X-RateLimit-Remaining", "X-RateLimit-Reset"))
    if after.strip().isdigit():
        return float(after)
    if after:
        try:
            return max(0.0, (parsedate_to_datetime(after) - datetime.now(UTC)).total_seconds())
        except (ValueError, TypeError):
            return 0.0
    if left.strip() == "0":
        return max(0.0, float(reset) - datetime.now(UTC).timestamp()) if reset.strip().isdigit() else 0.0
    return None
