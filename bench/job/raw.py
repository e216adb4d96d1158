"""The job's calls to engine and registry, over one kept connection each, and nothing else: the minimum for any tool.

It keeps promoter's promises on the engine (created before the old one stops, the old one kept, digest read back) and
records nothing.
"""

import http.client
import io
import json
import os
import re
import socket
import sys
import tarfile
import time
from urllib.parse import urlencode

ACCEPT = ", ".join(f"application/vnd.{kind}+json" for kind in ("oci.image.manifest.v1", "docker.distribution.manifest.v2"))
NAME, HOST, ROUND = os.environ["BENCH_NAME"], os.environ["PROMOTER_LAB_REGISTRY"], os.environ["BENCH_ROUND"]
REPOSITORY = f"{HOST}/bench/raw"


class Unix(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))


ENGINE = Unix("localhost")


def call(
    method: str, path: str, body: object = None, *, headers: dict[str, str] | None = None, fine: tuple[int, ...] = ()
) -> bytes:
    sent = {"Content-Type": "application/json", **(headers or {})}
    ENGINE.request(method, path, body if isinstance(body, bytes) or body is None else json.dumps(body).encode(), sent)
    answer = ENGINE.getresponse()
    content = answer.read()
    if answer.status >= 400 and answer.status not in fine:
        sys.exit(f"{method} {path}: {answer.status} {content.decode()}")
    return content


def build() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in ("Dockerfile", "busybox"):
            tar.add(name)
    query = urlencode({"t": f"{REPOSITORY}:{ROUND}", "buildargs": json.dumps({"ROUND": ROUND}), "rm": 1, "forcerm": 1})
    log = call("POST", f"/build?{query}", packed.getvalue(), headers={"Content-Type": "application/x-tar"})
    if b'"error"' in log:
        sys.exit(log.decode())


def push() -> str:
    log = call("POST", f"/images/{REPOSITORY}/push?tag={ROUND}", headers={"X-Registry-Auth": "e30="}).decode()
    found = re.search(r"digest: (sha256:[0-9a-f]{64}) size", log)
    if not found:
        sys.exit(log)
    registry = http.client.HTTPConnection(HOST)
    registry.request("GET", f"/v2/bench/raw/manifests/{found[1]}", headers={"Accept": ACCEPT})
    if registry.getresponse().status != 200:
        sys.exit(f"the registry has no {found[1]}")
    return found[1]


def replace(environment: str, port: str, digest: str) -> None:
    name, image = f"{NAME}-{environment}", f"{REPOSITORY}@{digest}"
    call("GET", f"/images/{image}/json")
    labels = {"dev.promoter.pipeline": NAME}
    if not json.loads(call("GET", f"/networks/{name}", fine=(404,))).get("Id"):
        call("POST", "/networks/create", {"Name": name, "CheckDuplicate": True, "Labels": labels})
    host = {"Init": True, "NetworkMode": name, "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": port}]}}
    body = {"Image": image, "Labels": labels, "ExposedPorts": {"8080/tcp": {}}, "HostConfig": host}
    call("DELETE", f"/containers/{name}-previous?force=1", fine=(404,))
    call("POST", f"/containers/create?name={name}-next", body)
    call("POST", f"/containers/{name}/rename?name={name}-previous", fine=(404,))
    call("POST", f"/containers/{name}-previous/stop?t=10", fine=(404,))
    call("POST", f"/containers/{name}-next/rename?name={name}")
    call("POST", f"/containers/{name}/start")
    probe(int(port))
    running = json.loads(call("GET", f"/containers/{name}/json"))
    if image not in json.loads(call("GET", f"/images/{running['Image']}/json"))["RepoDigests"]:
        sys.exit(f"{name} does not run {image}")


def probe(port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            talk = http.client.HTTPConnection("127.0.0.1", port, timeout=0.3)
            talk.request("GET", "/")
            if b"ready" in talk.getresponse().read():
                return
        except OSError:
            time.sleep(0.01)
    sys.exit(f"nothing ready on port {port}")


build()
pushed = push()
for where in ("dev", "test", "prod"):
    replace(where, os.environ[f"BENCH_PORT_{where.upper()}"], pushed)
