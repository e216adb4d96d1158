"""Every failure of a registry, as one sentence with its remedy and whether a retry may help."""

import json

from requests import exceptions

from promoter.model.errors import NotInRegistry, RegistryError


def unreachable(host: str, error: Exception) -> RegistryError:
    """Make the error for a missing HTTP answer."""
    text = _innermost(error)
    if isinstance(error, exceptions.SSLError):
        return RegistryError(
            f"registry {host} cannot be trusted: {text}",
            hint=f"put its CA into /etc/docker/certs.d/{host}/ca.crt, or allow it as an insecure registry",
        )
    if isinstance(error, exceptions.TooManyRedirects):
        return RegistryError(f"registry {host} redirects in circles", hint=f"check its proxy: curl -vL {host}/v2/")
    if isinstance(error, exceptions.Timeout):
        message = f"registry {host} does not answer in time"
    elif isinstance(error, exceptions.ChunkedEncodingError):
        message = f"registry {host} cut off its answer"
    else:
        message = f"registry {host} cannot be reached: {text}"
    return RegistryError(
        message, hint=f"make sure that it runs and that this machine can reach it: curl -v {host}/v2/", retryable=True
    )


def refused_login(host: str, what: str, *, anonymous: bool) -> RegistryError:
    """Make the error for 401 or 403, from the registry or its token service."""
    if anonymous:
        return RegistryError(f"registry {host} wants credentials for {what}, and there are none", hint=f"run docker login {host}")
    return RegistryError(
        f"registry {host} refuses the credentials for {what}",
        hint=f"run docker login {host} with an account that has the right to {what}",
    )


def login_ended(host: str, what: str) -> RegistryError:
    """Make the error for a 401 to a credential that was accepted a moment ago: tokens are short-lived."""
    return RegistryError(
        f"registry {host} no longer accepts the token for {what}", hint="run the same command again", retryable=True
    )


def other_length(host: str, name: str, got: int, expected: int) -> RegistryError:
    """Make the error for a blob that is longer or shorter than its manifest says."""
    return RegistryError(
        f"registry {host} sends {got} bytes of {name}, expected {expected}",
        hint="check its storage and the proxies in between",
        retryable=got < expected,
    )


def failed(host: str, what: str, status: int, body: bytes) -> RegistryError:
    """Make the error for any other unsuccessful answer."""
    detail = reason(body)
    tail = f": {detail}" if detail else ""
    if status == 429:
        return RegistryError(
            f"registry {host} allows no more requests for now (429){tail}",
            hint=f"wait, or run docker login {host} for a higher limit",
            retryable=True,
        )
    if status >= 500:
        return RegistryError(
            f"registry {host} fails with {status} at {what}{tail}",
            hint="check its log and its disk, then run the same command again",
            retryable=True,
        )
    return RegistryError(f"registry {host} answers {status} to {what}{tail}", hint=f"look at the log of {host}")


def missing(host: str, what: str) -> NotInRegistry:
    """Make the error for an unexpected 404."""
    return NotInRegistry(f"registry {host} does not have {what}", hint="check the name, or push it there first")


def reason(body: bytes) -> str:
    """Return the message of the registry's error document, or an empty text."""
    try:
        errors = json.loads(body)["errors"]
        return "; ".join(str(e.get("message") or e.get("code")) for e in errors)[:300]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _innermost(error: BaseException) -> str:
    """Return the operating system's message, without the wrapping of two libraries."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror and seen is not error:
            return seen.strerror
        nested = [a for a in seen.args if isinstance(a, BaseException)] + [getattr(seen, "reason", None)]
        seen = next((n for n in nested if isinstance(n, BaseException)), seen.__cause__ or seen.__context__)
    return str(error).split(": ")[-1][:200] or type(error).__name__
