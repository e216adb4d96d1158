"""Registry credentials, found in the same way as by the docker CLI. Nothing is written, and no helper is asked for a list.

Order: DOCKER_AUTH_CONFIG, then config.json: a credential helper of that host, the store of all hosts, `auths`. A broken
configuration is an error, but only for hosts that depend on it.
"""

import base64
import binascii
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from promoter.config.regular_file import read_regular
from promoter.model.dataclass import dataclass
from promoter.model.errors import RegistryError
from promoter.model.images import DOCKER_HUB

HUB_KEY = "https://index.docker.io/v1/"
_HELPER_SECONDS = 60.0
_NO_USER = "<token>"
"""The protocol's user name for a login with an identity token."""
_NOT_FOUND = "credentials not found"


@dataclass(frozen=True)
class Login:
    """A login for a registry. With an `identity_token` the password is empty, and the token service exchanges the token."""

    username: str
    password: str
    identity_token: str | None = None

    def __repr__(self) -> str:
        token = "None" if self.identity_token is None else "[hidden]"
        return f"Login(username={self.username!r}, password=[hidden], identity_token={token})"


class Credentials:
    """The docker CLI's configuration, read again for each request, so that a renewed login is found."""

    def __init__(self, config_dir: Path | None = None) -> None:
        self._config_dir = config_dir

    def for_host(self, host: str) -> Login | None:
        """Return the login for registry `host` (`docker.io`, `127.0.0.1:5000`); None means anonymous. Raise RegistryError."""
        key = HUB_KEY if host == DOCKER_HUB else host
        login = _from_environment(key)
        return login if login is not None else self._from_config(key)

    def origin(self, host: str) -> str | None:
        """Return where the login for `host` comes from, in words; None without one. Raise RegistryError as `for_host` does."""
        key = HUB_KEY if host == DOCKER_HUB else host
        if _from_environment(key) is not None:
            return "the variable DOCKER_AUTH_CONFIG"
        if self._from_config(key) is None:
            return None
        path = config_dir(self._config_dir) / "config.json"
        config = _read(path)
        helper = _mapping(config.get("credHelpers"), path, "credHelpers").get(key) or config.get("credsStore")
        return f"docker-credential-{helper}, which {path} names" if helper else str(path)

    def _from_config(self, key: str) -> Login | None:
        path = config_dir(self._config_dir) / "config.json"
        config = _read(path)
        helpers = _mapping(config.get("credHelpers"), path, "credHelpers")
        helper = helpers.get(key) or config.get("credsStore")
        if helper:
            if not isinstance(helper, str):
                raise _broken(path, "a credential helper's name is not a text")
            return _ask(helper, key, path)
        return _from_auths(_mapping(config.get("auths"), path, "auths"), key, str(path))


def config_dir(given: Path | None = None) -> Path:
    """Return the docker CLI's configuration directory: DOCKER_CONFIG, or else `.docker` in the home directory."""
    if given is not None:
        return given
    named = os.environ.get("DOCKER_CONFIG")
    return Path(named) if named else Path("~/.docker").expanduser()


def _from_environment(key: str) -> Login | None:
    text = os.environ.get("DOCKER_AUTH_CONFIG")
    if not text:
        return None
    source = "the environment variable DOCKER_AUTH_CONFIG"
    config = _parse(text, source)
    return _from_auths(_mapping(config.get("auths"), source, "auths"), key, source)


def _read(path: Path) -> Mapping[str, object]:
    try:
        text = read_regular(path).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise RegistryError(f"cannot read {path}: {error}", hint="make it readable, or remove it and run docker login") from error
    return _parse(text, path)


def _parse(text: str, source: object) -> Mapping[str, object]:
    try:
        return _mapping(json.loads(text) if text.strip() else {}, source, "the document")
    except ValueError as error:
        raise _broken(source, str(error)) from error


def _mapping(value: object, source: object, name: str) -> Mapping[str, object]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _broken(source, f"{name} is not a JSON object")
    return value


def _broken(source: object, why: str) -> RegistryError:
    return RegistryError(
        f"the registry credentials in {source} cannot be read: {why}",
        hint="repair it, or remove it and run docker login again",
    )


def _from_auths(auths: Mapping[str, object], key: str, source: str) -> Login | None:
    entry = auths.get(key)
    if entry is None:
        entry = next((value for name, value in auths.items() if _hostname(name) == key), None)
    if entry is None:
        return None
    fields = _mapping(entry, source, f"the entry for {key}")
    username, password = str(fields.get("username") or ""), str(fields.get("password") or "")
    if fields.get("auth"):
        username, password = _decode(str(fields["auth"]), key, source)
    token = str(fields.get("identitytoken") or "") or None
    return Login(username, password, token) if username or token else None


def _hostname(name: str) -> str:
    return name.removeprefix("http://").removeprefix("https://").split("/", 1)[0]


def _decode(auth: str, key: str, source: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(auth, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise _broken(source, f"the auth of {key} is not base64") from error
    username, colon, password = text.partition(":")
    if not colon:
        raise _broken(source, f"the auth of {key} has no colon between user and password")
    return username, password.rstrip("\0")


def _ask(helper: str, key: str, path: Path) -> Login | None:
    program = f"docker-credential-{helper}"
    try:
        done = subprocess.run(
            [program, "get"], input=key, capture_output=True, text=True, errors="replace", timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError as error:
        hint = f"install it, or remove it from {path} and run docker login {_named(key)}"
        raise RegistryError(f"{path} names the credential helper {program} for {key}, which is not on PATH", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise _helper_failed(program, key, path, f"did not answer in {_HELPER_SECONDS:.0f} s") from error
    except OSError as error:
        raise _helper_failed(program, key, path, f"cannot be run: {error}") from error
    if done.returncode != 0:
        printed = (done.stdout.strip() or done.stderr.strip())[:300]
        if _NOT_FOUND in printed:
            return None
        raise _helper_failed(program, key, path, f"ended with {done.returncode}: {printed}")
    return _helper_login(done.stdout, program, key, path)


def _helper_login(output: str, program: str, key: str, path: Path) -> Login | None:
    try:
        answer = json.loads(output)
        username, secret = str(answer["Username"]), str(answer["Secret"])
    except (ValueError, KeyError, TypeError):  # not chained: the answer may hold the secret
        raise _helper_failed(program, key, path, "answered something other than credentials") from None
    if username == _NO_USER:
        return Login("", "", secret)
    return Login(username, secret) if username or secret else None


def _helper_failed(program: str, key: str, path: Path, why: str) -> RegistryError:
    return RegistryError(
        f"the credential helper {program}, which {path} names for {key}, {why}",
        hint=f"try `echo {key} | {program} get`, or remove the helper from {path} and run docker login {_named(key)}".rstrip(),
    )


def _named(key: str) -> str:
    return "" if key == HUB_KEY else key
