"""Registries: whether they answer, the login, and its permissions."""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from promoter.adapters.clock import SystemClock
from promoter.adapters.diagnostics.finding import Finding, tried
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.credentials import Credentials, Login
from promoter.adapters.registry.errors import missing
from promoter.adapters.registry.permissions import may_pull, may_push
from promoter.model.errors import RegistryError
from promoter.model.images import Repository

_TIMEOUT = (3.0, 5.0)


@contextmanager
def opened(subject: Subject) -> Iterator[HttpRegistry]:
    """Open a registry client that retries without a pause: each check has a time limit."""
    insecure = frozenset(subject.settings.insecure_registries)
    registry = HttpRegistry(Credentials(), insecure=insecure, timeout=_TIMEOUT, sleep=lambda _: None)
    try:
        yield registry
    finally:
        registry.close()


def check(subject: Subject, host: str) -> Iterator[Finding]:
    yield tried(f"registry {host}", lambda: _ping(subject, host))
    yield tried(f"credentials {host}", lambda: _credentials(host))


def rights(subject: Subject, repository: Repository) -> Iterator[Finding]:
    """Check permissions. If pulling is refused, pushing is not tried."""
    yield tried(f"rights {repository}", lambda: _rights(subject, repository))


def image(subject: Subject, repository: Repository) -> Iterator[Finding]:
    """Check an image that is only pulled."""
    yield tried(f"image {repository}", lambda: _image(subject, repository))


def _image(subject: Subject, repository: Repository) -> str:
    with opened(subject) as registry:
        if not may_pull(registry, repository):
            raise missing(repository.host, str(repository))
    return "exists and may be pulled"


def _ping(subject: Subject, host: str) -> str:
    with opened(subject) as registry:
        registry.ping(host)
    return f"answers, {'with credentials' if Credentials().for_host(host) else 'without credentials'}"


def _credentials(host: str) -> str:
    credentials = Credentials()
    login = credentials.for_host(host)
    if login is None:
        return "no login saved (none needed so far)"
    if (ended := expired(login, SystemClock().now())) is not None:
        raise RegistryError(
            f"the token from {credentials.origin(host)} expired at {ended:%Y-%m-%d %H:%M} UTC", hint=f"run docker login {host}"
        )
    who = "an identity token" if login.identity_token else login.username
    return f"{who}, from {credentials.origin(host)}"


def expired(login: Login, now: datetime) -> datetime | None:
    """Return when the token expired; None if it has not, or has no expiry."""
    parts = (login.identity_token or login.password).split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))) if len(parts) == 3 else {}
        end = datetime.fromtimestamp(float(claims["exp"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, binascii.Error):
        return None
    return end if end <= now else None


def _rights(subject: Subject, repository: Repository) -> str:
    with opened(subject) as registry:
        may_pull(registry, repository)
        taken_back = may_push(registry, repository)
    return "pull and push allowed" + (
        "" if taken_back else "; the test upload was not cancelled, and the registry removes it later"
    )
