"""Engine addresses: parse what people write into a `Target`, or raise an error that explains the problem.

The rules are the docker CLI's. They are implemented here because the SDK falls back to the local engine when a
context is missing. This file makes no connections.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from promoter.config.regular_file import read_regular
from promoter.model.dataclass import dataclass
from promoter.model.errors import EngineError

DEFAULT = "unix:///var/run/docker.sock"
_FORMS = "write unix:///path/docker.sock, tcp://host:2376, ssh://user@host or context:NAME"


@dataclass(frozen=True)
class Tls:
    """The files of a TLS client; each may be missing. `verify` False trusts any server, as a Docker context may request."""

    ca: Path | None
    cert: Path | None
    key: Path | None
    verify: bool = True


@dataclass(frozen=True)
class Ssh:
    """The arguments of `ssh`; where one is None, the user's ssh configuration applies."""

    host: str
    user: str | None
    port: int | None


@dataclass(frozen=True)
class Target:
    """The place where an engine listens: a socket on this machine, a TCP host, or a socket behind ssh. Exactly one is set.

    `address` is the name of the target in messages.
    """

    address: str
    socket: str | None = None
    host: str | None = None
    tls: Tls | None = None
    ssh: Ssh | None = None


def resolve(address: str | None, environ: Mapping[str, str]) -> Target:
    """Return the target of `address`; for None that of DOCKER_HOST, the docker CLI's context or the local socket."""
    if address is None:
        return _default(environ)
    if address.startswith("context:"):
        return _context(address.removeprefix("context:"), environ)
    return _read(address, environ)


def _default(environ: Mapping[str, str]) -> Target:
    if environ.get("DOCKER_HOST"):
        return _read(environ["DOCKER_HOST"], environ)
    name = environ.get("DOCKER_CONTEXT") or _current_context(environ)
    return _context(name, environ) if name else _read(DEFAULT, environ)


def _read(address: str, environ: Mapping[str, str]) -> Target:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise EngineError(f"{address!r} is not the address of an engine: {error}", hint=_FORMS) from error
    if parts.scheme == "unix" and (parts.netloc + parts.path):
        return Target(address, socket="/" + (parts.netloc + parts.path).lstrip("/"))
    if parts.scheme == "ssh" and parts.hostname:
        return _over_ssh(address, parts, port)
    if parts.scheme in ("tcp", "http", "https") and parts.hostname:
        tls = _tls(environ) if parts.scheme != "http" else None
        if parts.scheme == "https" and tls is None:
            tls = Tls(None, None, None)
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return Target(address, host=f"{host}:{port or (2376 if tls else 2375)}", tls=tls)
    raise EngineError(f"{address!r} is not the address of an engine", hint=_FORMS)


def _over_ssh(address: str, parts: SplitResult, port: int | None) -> Target:
    if parts.password:
        raise EngineError("an ssh:// address may not hold a password", hint="use a key or an ssh agent, and remove the password")
    host = parts.netloc.rpartition("@")[2].partition(":")[0] if ":" not in (parts.hostname or "") else parts.hostname or ""
    if host.startswith("-") or (parts.username or "").startswith("-"):
        raise EngineError(f"{address!r} is not the address of an engine: ssh would read it as an option", hint=_FORMS)
    socket = parts.path if parts.path not in ("", "/") else "/var/run/docker.sock"
    return Target(address, socket=socket, ssh=Ssh(host, parts.username, port))


def _tls(environ: Mapping[str, str]) -> Tls | None:
    if not environ.get("DOCKER_TLS_VERIFY"):
        return None
    folder = Path(environ.get("DOCKER_CERT_PATH") or _config_folder(environ))
    return _tls_in(folder, verify=True)


def _tls_in(folder: Path, *, verify: bool) -> Tls:
    files = [folder / name if (folder / name).is_file() else None for name in ("ca.pem", "cert.pem", "key.pem")]
    if (files[1] is None) != (files[2] is None):
        raise EngineError(f"{folder} must hold both cert.pem and key.pem, or neither", hint="add the missing file")
    return Tls(files[0], files[1], files[2], verify)


def _config_folder(environ: Mapping[str, str]) -> Path:
    if environ.get("DOCKER_CONFIG"):
        return Path(environ["DOCKER_CONFIG"])
    return Path(environ.get("HOME") or Path.home()) / ".docker"


def _current_context(environ: Mapping[str, str]) -> str | None:
    file = _config_folder(environ) / "config.json"
    try:
        document = json.loads(read_regular(file))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EngineError(
            f"{file} cannot be read, so the current docker context is unknown: {error}",
            hint="fix the file, or name the engine with DOCKER_HOST",
        ) from error
    name = document.get("currentContext") if isinstance(document, dict) else None
    return str(name) if name else None


def _context(name: str, environ: Mapping[str, str]) -> Target:
    if name == "default":
        return _read(environ.get("DOCKER_HOST") or DEFAULT, environ)
    if not name:
        raise EngineError("context: names no docker context", hint="write context:NAME; `docker context ls` lists the names")
    folder = _config_folder(environ) / "contexts"
    identifier = hashlib.sha256(name.encode()).hexdigest()
    file = folder / "meta" / identifier / "meta.json"
    try:
        endpoint = json.loads(read_regular(file))["Endpoints"]["docker"]
        host, skip = str(endpoint["Host"]), bool(endpoint.get("SkipTLSVerify"))
    except FileNotFoundError as error:
        raise EngineError(
            f"there is no docker context {name!r} (looked in {folder})",
            hint="`docker context ls` lists the names; `docker context create` creates one",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            f"docker context {name!r} names no engine that can be used: {file} is broken or has no docker endpoint",
            hint="create the context again with `docker context create`",
        ) from error
    return _within_context(name, host, folder / "tls" / identifier / "docker", skip=skip)


def _within_context(name: str, host: str, certificates: Path, *, skip: bool) -> Target:
    target = replace(_read(host, {}), address=f"context:{name}")
    if target.host is None or host.startswith("http:"):
        return target
    if certificates.is_dir() or skip or host.startswith("https:"):
        return replace(target, tls=_tls_in(certificates, verify=not skip))
    return target
