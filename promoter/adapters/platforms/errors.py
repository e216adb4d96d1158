"""Every failure of a platform's API, as one sentence with its remedy and whether a retry may help."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from promoter.model.dataclass import dataclass
from promoter.model.errors import ForgeError

LONGEST_ERROR_TEXT = 300


@dataclass(frozen=True)
class Asked:
    """A request: its text for people, after "to", and the permission that it needs."""

    what: str
    permission: str


@dataclass(frozen=True)
class Answerer:
    """The platform that answers and the token in use, for people."""

    title: str
    host: str
    token: str

    def __str__(self) -> str:
        return f"{self.title} at {self.host}"


def unreachable(who: Answerer, error: Exception) -> ForgeError:
    """Make the error for a missing HTTP answer."""
    from requests import exceptions

    if isinstance(error, exceptions.SSLError):
        return ForgeError(
            f"{who} cannot be trusted: its certificate is not signed by a CA that this machine trusts",
            hint="set REQUESTS_CA_BUNDLE or SSL_CERT_FILE to the file of its CA",
        )
    if isinstance(error, exceptions.Timeout):
        message = f"{who} does not answer in time"
    elif isinstance(error, exceptions.ChunkedEncodingError):
        message = f"{who} cut off its answer"
    else:
        message = f"{who} cannot be reached"
    return ForgeError(message, hint="make sure that this machine can reach it, then run the same command again", retryable=True)


def refused(who: Answerer, asked: Asked, status: int, headers: Mapping[str, str], reply: str) -> ForgeError:
    """Make the error for an answer that is not a success. `reply` is the platform's message."""
    tail = f": {reply}" if reply else ""
    pause = _pause(headers)
    if status == 429 or (status == 403 and pause is not None):
        when = f"; it asks to wait {pause:.0f} s" if pause else ""
        return ForgeError(
            f"{who} allows no more requests for now ({status}){when}",
            hint="run the same command again later",
            retryable=True,
            retry_after=pause,
        )
    if status >= 500:
        return ForgeError(
            f"{who} fails with {status} when asked to {asked.what}{tail}",
            hint="run the same command again later",
            retryable=True,
            retry_after=pause,
        )
    if status == 401:
        return ForgeError(
            f"{who} does not accept the token of {who.token}", hint="it has expired, or it is for another host: set a new one"
        )
    if status == 403:
        return ForgeError(
            f"{who} does not let the token of {who.token} {asked.what}{tail}", hint=f"the token needs {asked.permission}"
        )
    if status == 404:
        return ForgeError(
            f"{who} finds nothing to {asked.what}, or does not show it to the token of {who.token}",
            hint=f"check the names; the token needs {asked.permission}",
        )
    return ForgeError(f"{who} refuses to {asked.what} ({status}){tail}", hint=f"the token needs {asked.permission}")


def redirected(who: Answerer, asked: Asked) -> ForgeError:
    """Make the error for a redirect that would send the token to another host."""
    return ForgeError(
        f"{who} redirects to another host when asked to {asked.what}, and the token is not sent there",
        hint="set GITHUB_API_URL or CI_API_V4_URL to the API's real address",
    )


def unreadable(who: Answerer, asked: Asked) -> ForgeError:
    return ForgeError(
        f"{who} sends an unexpected answer when asked to {asked.what}",
        hint="make sure that its API answers at that address, and not a login page or a proxy",
    )


def _pause(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait before a retry, if the platform names them."""
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
