import pytest
import requests
from docker.errors import APIError

from promoter.adapters.engine.errors import fault, passing, reason, remedy, renamed, timed_out
from promoter.model.errors import EngineError, PullError


def api_error(status: int, words: str) -> APIError:
    response = requests.Response()
    response.status_code = status
    return APIError("wrapped", response=response, explanation=words)


@pytest.mark.parametrize(
    "words",
    [
        "dial tcp 127.0.0.1:1: connect: connection refused",
        "read: connection reset by peer",
        "unexpected EOF",
        "net/http: TLS handshake timeout",
        "received unexpected HTTP status: 503 Service Unavailable",
        "toomanyrequests: slow down",
        "i/o timeout",
    ],
)
def test_what_passes_is_worth_a_retry(words):
    assert passing(words)


@pytest.mark.parametrize(
    "words",
    [
        "no basic auth credentials",
        "unauthorized: authentication required",
        "manifest unknown",
        "write: no space left on device",
        "port is already allocated",
        "pull access denied for x",
        "anything else",
    ],
)
def test_permanent_errors_are_not_temporary(words):
    assert not passing(words)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ("failed to copy: no space left on device", "docker system df"),
        ("Bind for 127.0.0.1:80 failed: port is already allocated", "another"),
        ('exec: "nosuch": executable file not found in $PATH', "command and entrypoint"),
        ("Permission denied", "group"),
        ("No such file or directory", "installed and running"),
        ("no basic auth credentials", "docker login"),
        ("http: server gave HTTP response to HTTPS client", "insecure-registry"),
        ("manifest unknown: manifest unknown", "digest"),
        ("network web not found", "network"),
        ("could not find an available, non-overlapping IPv4 address pool among the defaults", "docker network prune"),
        ("all predefined address pools have been fully subnetted", "docker network prune"),
        ("Remote end closed connection without response", "is restarting"),
        ("Connection reset by peer", "is restarting"),
        ("No such container: 0a1b", "it was removed meanwhile"),
        ("invalid mount config: bind source path does not exist: /x", "create_host_path"),
    ],
)
def test_known_words_have_a_remedy(words, part):
    assert part in remedy(words)


def test_unknown_words_have_none():
    assert remedy("quite new") is None and fault("x", "quite new").hint is None


def test_the_engines_own_words_are_shown():
    with pytest.raises(PullError, match=r"^it broke: manifest unknown$") as caught, renamed("it broke", PullError):
        raise api_error(404, "manifest unknown")
    assert isinstance(caught.value.__cause__, APIError)


@pytest.mark.parametrize(("status", "retryable"), [(400, False), (404, False), (429, True), (500, True)])
def test_a_refusal_is_not_worth_a_retry_whatever_its_words(status, retryable):
    with pytest.raises(EngineError) as caught, renamed("x"):
        raise api_error(status, "toomanyrequests: connection refused")
    assert caught.value.retryable is retryable


def test_the_deepest_reason_counts():
    inner = ConnectionRefusedError(111, "Connection refused")
    assert reason(requests.ConnectionError(inner)) == "Connection refused"
    assert timed_out(requests.ConnectionError(TimeoutError())) and not timed_out(requests.ConnectionError(inner))


def test_our_own_errors_and_mistakes_pass_through():
    with pytest.raises(ZeroDivisionError), renamed("x"):
        raise ZeroDivisionError
