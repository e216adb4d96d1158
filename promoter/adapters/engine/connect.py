"""The door: an address becomes a DockerEngine. What the address means is `address.py`'s, the ssh tunnel `tunnel.py`'s."""

import atexit
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from promoter.adapters.engine.address import Target, resolve
from promoter.adapters.engine.client import Client
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.engine.link import Login, Logins
from promoter.adapters.engine.tunnel import Tunnel
from promoter.adapters.retry import Retry


def anonymous(_host: str) -> Login | None:
    """No login for any registry."""
    return None


def open_engine(
    address: str | None,
    *,
    logins: Logins = anonymous,
    environ: Mapping[str, str] = os.environ,
    sleep: Callable[[float], None] = time.sleep,
) -> DockerEngine:
    """The engine at `address`, or the local one; connected at its first call. Raises EngineError for a bad address."""
    target = resolve(address, environ)
    return DockerEngine(target.address, lambda: _connect(target), Retry(sleep), logins)


def _connect(target: Target) -> Client:
    if target.ssh is not None and target.socket is not None:
        tunnel = Tunnel(target.address, target.ssh, target.socket)
        atexit.register(tunnel.close)
        client = Client(target, tunnel.socket)
    else:
        client = Client(target, Path(target.socket) if target.socket else None)
    client.negotiate(target.address)
    return client
