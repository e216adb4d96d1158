"""Open a DockerEngine by its address. `address.py` parses the address, `ssh_tunnel.py` makes ssh tunnels."""

import atexit
import os
import time
from collections.abc import Callable, Mapping

from promoter.adapters.engine.address import Target, resolve
from promoter.adapters.engine.client import Client
from promoter.adapters.engine.connection import Login, Logins
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.engine.ssh_tunnel import Tunnel
from promoter.adapters.retry import Retry
from promoter.model.errors import EngineError


def anonymous(_host: str) -> Login | None:
    """Return no login for any registry."""
    return None


def open_engine(
    address: str | None,
    *,
    logins: Logins = anonymous,
    environ: Mapping[str, str] = os.environ,
    sleep: Callable[[float], None] = time.sleep,
    check: Callable[[], None] = lambda: None,
) -> DockerEngine:
    """Open the engine at `address`, or the local one. It connects at its first call. Raise EngineError for a bad address."""
    target = resolve(address, environ)
    return DockerEngine(target.address, lambda: _connect(target), Retry(sleep), logins, check)


def _connect(target: Target) -> Client:
    if target.ssh is not None and target.socket is not None:
        return _connect_over_ssh(target, Tunnel(target.address, target.ssh, target.socket))
    client = Client(target)
    client.negotiate(target.address)
    return client


def _connect_over_ssh(target: Target, tunnel: Tunnel) -> Client:
    client = Client(target, tunnel)
    try:
        client.negotiate(target.address)
    except EngineError as error:
        words = tunnel.words()
        client.close()
        raise EngineError(
            f"ssh reaches the host of {target.address}, but no engine answers there at {target.socket}: {words or error.message}",
            hint="check that Docker is running there, and that the user may use its socket (group `docker`)",
        ) from error
    atexit.register(client.close)
    return client
