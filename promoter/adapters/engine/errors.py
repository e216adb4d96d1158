"""Turn errors of the SDK, requests and urllib3 into promoter's errors, with the engine's reason and a remedy.

The engine answers 500 for temporary and permanent errors, so its message must be parsed. Only this file does that.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3
from docker.errors import APIError, DockerException

from promoter.model.errors import EngineError, WorldError
from promoter.model.pattern import pattern

FOREIGN = (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError)

_PASSING = pattern(
    r"connection refused|connection reset|\bEOF\b|i/o timeout|TLS handshake timeout|timed out|broken pipe|toomanyrequests"
    r"|too many requests|HTTP 429|received unexpected HTTP status: 5\d\d|no route to host|temporary failure|IncompleteRead"
    r"|Connection aborted|Remote end closed|context canceled|bad gateway|service unavailable|server misbehaving",
    re.IGNORECASE,
)
_PERMANENT = pattern(
    r"unauthorized|denied|no basic auth|authentication required|manifest unknown|no space left|x509|HTTPS client"
    r"|port is already allocated|address already in use|invalid reference|not found",
    re.IGNORECASE,
)
_TAKEN = pattern(r":(\d+) failed: port is already allocated")
_NO_PROGRAM = (
    "check command and entrypoint: the program must be in the image, executable, and built for this machine's architecture"
)
_NOT_EXECUTED = (
    "the container's program could not be executed: check the file's mode, the service's `user`, and mounts over it (`noexec`)"
)
_REMEDIES = (
    (r"no space left on device", "free disk space on the engine's machine: `docker system df` shows the usage"),
    (
        r"port is already allocated|address already in use|failed to bind host port",
        "stop what uses that host port, or publish another one; if no container uses it, restart Docker: it still holds the port",
    ),
    (
        r"setting rlimits?\b.*not permitted",
        "the engine's machine does not allow these limits: set `ulimits` of the service, or `default_ulimits` in containers.conf",
    ),
    (r"OCI permission denied", _NOT_EXECUTED),
    (
        r"executable file not found|no such file or directory: unknown|exec format error|exec: .*permission denied",
        _NO_PROGRAM,
    ),
    (r"attempted to invoke a command that was not found", _NO_PROGRAM),
    (r"(OCI runtime|\brunc|\bcrun)\b.*permission denied", _NOT_EXECUTED),
    (r"^permission denied$", "this user may not use the engine's socket: join the group that owns it, or run as root"),
    (r"^no such file or directory$", "nothing listens there: check that the engine is installed and running"),
    (
        r"no basic auth|unauthorized|\bdenied\b|authentication required|requested access",
        "log in to the registry with `docker login`, with an account that may do this",
    ),
    (
        r"server gave HTTP response to HTTPS client|x509",
        "the engine does not trust the registry's TLS: put its CA into /etc/docker/certs.d, or make it an insecure-registry",
    ),
    (
        r"manifest unknown|manifest for .* not found|not found: manifest",
        "the registry does not have this digest: check whether it was deleted, or pushed to another registry",
    ),
    (r"toomanyrequests|too many requests|HTTP 429", "wait, or log in to the registry with `docker login` for a higher limit"),
    (
        r"received unexpected HTTP status: 5\d\d|bad gateway|service unavailable",
        "the registry has an internal error: check its log and its disk, then run the same command again",
    ),
    (
        r"verification failed|invalid character|filesystem layer|unexpected EOF|unexpected commit digest",
        "the registry or a proxy sends other bytes than requested; they were not run: check its storage",
    ),
    (
        r"available, non-overlapping .*address pool|predefined address pools have been fully subnetted",
        "no addresses left: remove unused networks with `docker network prune`, or set `default-address-pools` in daemon.json",
    ),
    (
        r"^Remote end closed connection without response$|^Connection reset by peer$|^Broken pipe$",
        "the engine stopped or is restarting: check that it runs, then run the same command again",
    ),
    (r"No such container", "it was removed meanwhile: run the same command again"),
    (r"network .* not found|could not find a network", "create that network, or declare it without `external`"),
    (r"bind source path does not exist", "create that directory on the engine's machine, or set `create_host_path`"),
    (r"is already in use by container", "a container with that name exists: remove or rename it"),
    (r"does not match the specified platform", "build or publish the image for that platform, or remove `platform`"),
    (r"could not select device driver|unknown or invalid runtime", "install that runtime on the engine's machine"),
    (r"CERTIFICATE_VERIFY_FAILED|certificate verify failed", "the engine's certificate is not from the CA in DOCKER_CERT_PATH"),
    (r"client version .* is too old", "install a newer promoter: this engine speaks only newer versions of the API"),
    (r"connection refused|No route to host|Name or service not known|timed out", "check that it runs and is reachable from here"),
)


def reason(error: BaseException) -> str:
    """Return the engine's message for an error, without the SDK's wrapping."""
    if isinstance(error, APIError):
        return (error.explanation or str(error)).strip()
    deepest = error
    while (inner := _inside(deepest)) is not None:
        deepest = inner
    if isinstance(deepest, OSError) and deepest.strerror:
        return deepest.strerror
    return str(deepest).strip() or type(deepest).__name__


def _inside(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return inner
    return next((argument for argument in error.args if isinstance(argument, BaseException)), None)


def timed_out(error: BaseException | None) -> bool:
    """Return whether an error was caused by a timeout."""
    while error is not None:
        if isinstance(error, TimeoutError | urllib3.exceptions.ReadTimeoutError | requests.Timeout):
            return True
        error = _inside(error)
    return False


def remedy(text: str) -> str | None:
    """Return the remedy for an engine's message."""
    return next((advice for pattern, advice in _REMEDIES if re.search(pattern, text, re.IGNORECASE)), None)


def taken_port(text: str) -> int | None:
    """Return the host port that the engine reports as allocated."""
    found = _TAKEN.search(text)
    return int(found[1]) if found else None


def passing(text: str) -> bool:
    """Return whether an error with this message may be temporary."""
    return bool(_PASSING.search(text)) and not _PERMANENT.search(text)


def fault(what: str, words: str, kind: type[WorldError] = EngineError, *, retryable: bool | None = None) -> WorldError:
    """Make the error from what failed (`what`), the engine's message, and the remedy."""
    return kind(f"{what}: {words}", hint=remedy(words), retryable=passing(words) if retryable is None else retryable)


@contextmanager
def renamed(what: str, kind: type[WorldError] = EngineError) -> Iterator[None]:
    """Turn every foreign error raised inside into `kind`; `what` names what failed."""
    try:
        yield
    except FOREIGN as error:
        status = error.status_code if isinstance(error, APIError) else None
        permanent = status is not None and 400 <= status < 500 and status != 429
        raised = fault(what, reason(error), kind, retryable=False if permanent else None)
        raised.lost = _broke_off(error)
        raise raised from error


def answered(error: BaseException | None) -> bool:
    """Return whether an error is the engine's own answer, and not a connection that failed."""
    while error is not None:
        if isinstance(error, APIError):
            return True
        error = error.__cause__
    return False


def _broke_off(error: BaseException | None) -> bool:
    """Return whether an error was caused by a failed or broken connection, and not by a timeout."""
    if isinstance(error, APIError) or timed_out(error):
        return False
    while error is not None:
        if isinstance(error, ConnectionError | FileNotFoundError | urllib3.exceptions.ProtocolError):
            return True
        error = _inside(error)
    return False
