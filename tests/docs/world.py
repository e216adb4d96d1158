"""Where a page is run: an empty directory, the lab's engine and registry, and replacements for words of the page."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(sys.executable).parent
BASE = "busybox:1.37"
REGISTRY = "127.0.0.1:5000"
PORTS = ("18081", "18082", "18083")
PIPELINE = "shop"
DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
"""


@dataclass(frozen=True)
class World:
    """What a page is run with. `changed` maps words of the page to their replacements here."""

    directory: Path
    environ: Mapping[str, str]
    changed: Mapping[str, str]


def world(directory: Path, engine: str, registry: str, base: str, name: str, port: Callable[[], int]) -> World:
    home = directory / "home"
    home.mkdir()
    (home / ".gitconfig").write_text("[user]\n\tname = Ana\n\temail = ana@example.com\n[init]\n\tdefaultBranch = main\n")
    environ = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "DOCKER_HOST": engine,
        "NO_COLOR": "1",
        "COLUMNS": "120",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
    }
    changed = {PIPELINE: name, REGISTRY: registry, BASE: base} | {output: str(port()) for output in PORTS}
    work = directory / "work"
    work.mkdir()
    return World(work, environ, changed)


@contextmanager
def base_image(engine: str, busybox: Path, directory: Path, name: str) -> Iterator[str]:
    """Build an image with the content of the page's base, under a separate name. No registry is needed for it."""
    import docker

    shutil.copy2(busybox / "busybox", directory / "busybox")
    (directory / "Dockerfile").write_text(DOCKERFILE)
    client = docker.DockerClient(base_url=engine)
    tag = f"base-{name}:1"
    client.images.build(path=str(directory), tag=tag)
    try:
        yield tag
    finally:
        client.images.remove(tag, force=True)
        client.close()
