"""Images for the tests and the bench of fronts: HAProxy as a front, and applications that answer with one word."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

import docker

CONFIG = """\
defaults
  mode http
  timeout client 1m
  timeout server 1m
  timeout connect 1s
frontend page
  bind :8080{accept}
  use_backend echo if {{ hdr(upgrade) -m found }}
  http-request return status 200 content-type text/plain string {word} unless {{ hdr(upgrade) -m found }}
backend echo
  server echo 127.0.0.1:8090
"""
ECHO = """\
# Accepts the upgrade of RFC 6455, section 1.3, and sends back what it gets.
while read -r line && [ "${line%?}" ]; do :; done
printf '%s\\r\\n' 'HTTP/1.1 101 Switching Protocols' 'Upgrade: websocket' 'Connection: Upgrade'
printf '%s\\r\\n' 'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=' ''
exec cat
"""
SERVE = "haproxy -W -db -f /app.cfg"
HEALTHY = "wget -qO- http://127.0.0.1:8080/"
APPS: Mapping[str, tuple[str, str]] = {
    "one": (SERVE, HEALTHY),
    "two": (SERVE, HEALTHY),
    "upgrade": (f"while :; do nc -l -p 8090 -e sh /echo; done & exec {SERVE}", HEALTHY),
    "sick": (SERVE, "exit 1"),
    "mortal": (f"{SERVE} & while [ ! -e /end ]; do sleep 0.1; done; kill -USR1 $!; wait", HEALTHY),
}
"""Commands and health checks of the images. `upgrade` accepts WebSockets.

`mortal` ends, after its open requests, when it has a file /end.
"""


def build_all(engine: str, registry: str, contexts: Mapping[str, Path]) -> Mapping[str, str]:
    """Build and push the fronts and the applications. Return the reference of each by its name."""
    client = docker.APIClient(engine, version="auto", timeout=120)
    found = {}
    for name, context in contexts.items():
        found[name] = _pushed(client, f"{registry}/front/haproxy-{name}", _tar(context))
    base = next(iter(found.values()))
    for word, (command, health) in APPS.items():
        text = f'FROM {base}\nCOPY app.cfg echo /\nCMD ["sh", "-c", "{command}"]\nLABEL health="{health}"\n'
        files = {"Dockerfile": text, "app.cfg": CONFIG.format(word=word, accept=""), "echo": ECHO}
        found[word] = _pushed(client, f"{registry}/front/app-{word}", _packed(files))
    client.close()
    return found


def _pushed(client: docker.APIClient, repository: str, context: io.BytesIO) -> str:
    for line in client.build(fileobj=context, custom_context=True, tag=f"{repository}:1", rm=True, decode=True):
        assert "error" not in line, line
    for line in client.push(repository, "1", stream=True, decode=True):
        assert "error" not in line, line
    return f"{repository}:1"


def _tar(folder: Path) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(folder, arcname=".")
    packed.seek(0)
    return packed


def _packed(files: Mapping[str, str]) -> io.BytesIO:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    packed.seek(0)
    return packed
