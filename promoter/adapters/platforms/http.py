"""The API of one platform over HTTP: JSON requests and answers, limits on time and size, and a token for this host only.

`github.py` and `gitlab.py` interpret the answers. netrc and cookies are not used: the token is the only credential.
"""

import json
import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from promoter.adapters.platforms import errors
from promoter.adapters.platforms.errors import Answerer, Asked
from promoter.adapters.platforms.token import Token
from promoter.adapters.registry.hosts import is_loopback
from promoter.adapters.retry import Retry
from promoter.model.errors import CallerError

if TYPE_CHECKING:
    import requests

LARGEST = 8 * 1024 * 1024
LONGEST = 60.0
"""Seconds for one complete answer."""
TIMEOUT = (5.0, 20.0)
"""Seconds to connect, and seconds between two bytes."""
_HOPS = 3
_MOVED = (301, 302, 307, 308)


class Api:
    """One API. `base` is the start of its URLs. `headers` contain the token, and are sent to the host of `base` only."""

    def __init__(
        self,
        title: str,
        base: str,
        token: Token,
        headers: Mapping[str, str],
        retry: Retry,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> None:
        self._base, self._token, self._headers = base.rstrip("/"), token, headers
        self._retry, self._timeout = retry, timeout
        parts = urlsplit(self._base)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CallerError(f"{title}'s API is not at {base!r}", hint="write a complete URL: https://HOST/api/v3")
        if parts.scheme == "http" and not is_loopback(parts.netloc):
            raise CallerError(f"a token is not sent to {parts.netloc} without TLS", hint=f"write https://{parts.netloc}")
        self._who = Answerer(title, parts.netloc.rpartition("@")[2], token.origin)
        self._session: requests.Session | None = None

    def get(self, path: str, asked: Asked) -> Any:
        """Send a GET request and return the document of the answer. Raise ForgeError."""
        return self._retry(lambda: self._ask("GET", path, None, asked))

    def post(self, path: str, body: Mapping[str, object], asked: Asked) -> Any:
        """Send a POST request and return the document of the answer; None if it is empty. Raise ForgeError."""
        return self._retry(lambda: self._ask("POST", path, json.dumps(body).encode(), asked))

    def unreadable(self, asked: Asked) -> Exception:
        return errors.unreadable(self._who, asked)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    # ------------------------------------------------------------ parts
    def _ask(self, method: str, path: str, body: bytes | None, asked: Asked) -> Any:
        from requests import exceptions

        url = self._base + path
        for _ in range(_HOPS):
            try:
                status, headers, content = self._once(method, url, body, asked)
            except exceptions.RequestException as error:
                raise errors.unreachable(self._who, error) from _without_headers(error)
            if status not in _MOVED:
                return self._read(status, headers, content, asked)
            url = self._moved(method, url, status, headers, asked)
        raise errors.redirected(self._who, asked)

    def _once(self, method: str, url: str, body: bytes | None, asked: Asked) -> tuple[int, Mapping[str, str], bytes]:
        from requests.utils import get_environ_proxies

        headers = {"User-Agent": "promoter", "Content-Type": "application/json", **self._headers}
        proxies = {} if is_loopback(urlsplit(url).netloc) else get_environ_proxies(url)
        with self._open().request(
            method,
            url,
            headers=headers,
            data=body,
            timeout=self._timeout,
            proxies=proxies,
            verify=_authorities(),
            allow_redirects=False,
            stream=True,
        ) as response:
            return response.status_code, response.headers, self._body(response, asked)

    def _body(self, response: "requests.Response", asked: Asked) -> bytes:
        parts, size, end = [], 0, time.monotonic() + LONGEST
        for part in response.iter_content(64 * 1024):
            parts.append(part)
            size += len(part)
            if size > LARGEST or time.monotonic() > end:
                raise errors.unreadable(self._who, asked)
        return b"".join(parts)

    def _moved(self, method: str, url: str, status: int, headers: Mapping[str, str], asked: Asked) -> str:
        """Return the new address of a renamed repository: only on the same host, and without turning a POST into a GET."""
        there = urljoin(url, headers.get("Location", ""))
        origins = [(p.scheme, p.netloc) for p in (urlsplit(url), urlsplit(there))]
        if origins[0] != origins[1] or (method != "GET" and status in (301, 302)):
            raise errors.redirected(self._who, asked)
        return there

    def _read(self, status: int, headers: Mapping[str, str], content: bytes, asked: Asked) -> Any:
        if not 200 <= status < 300:
            raise errors.refused(self._who, asked, status, headers, self._token.hide(_error_text(content)))
        if not content.strip():
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise errors.unreadable(self._who, asked) from error

    def _open(self) -> "requests.Session":
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.trust_env = False
        return self._session


def _error_text(content: bytes) -> str:
    """Return the platform's message: GitHub's `message` and `errors`, or GitLab's `message` or `error`, in any form."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    words = [document.get(key) for key in ("message", "error", "errors")]
    text = "; ".join(word if isinstance(word, str) else json.dumps(word) for word in words if word)
    return " ".join(text.split())[: errors.LONGEST_ERROR_TEXT]


def _authorities() -> bool | str:
    """Return the file of CAs that a variable names, or True for the CAs of this machine."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "CI_SERVER_TLS_CA_FILE")
    return next((os.environ[name] for name in names if os.environ.get(name)), True)


def _without_headers(error: Exception) -> Exception:
    """Return the error without its request, which contains the token."""
    for name in ("request", "response"):
        if hasattr(error, name):
            setattr(error, name, None)
    return error
