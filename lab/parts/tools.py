"""Tools beside the engine: busybox to build images without internet, the docker CLI's buildx, a virtual environment.

The programs for the tests of evidence gates, cosign and Prometheus, are in `parts/evidence.py`.
"""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from parts.errors import LabError
from parts.machine import SEARCH, apt_install, candidate, report, run, unpack, which
from parts.sources import other_suite_options

PLUGIN_DIRECTORIES = ("/usr/local/lib/docker", "/usr/local/libexec/docker", "/usr/lib/docker", "/usr/libexec/docker")


def busybox(state: Path) -> Path:
    """Return a directory with a static busybox."""
    for folder in SEARCH.split(os.pathsep):
        if (found := Path(folder) / "busybox").is_file() and not _dynamic(found):
            return found.parent
    own = state / "packages/busybox-static"
    if not own.exists():
        report("fetching busybox-static with apt")
        if not candidate("busybox-static"):
            apt_install(["busybox-static"], why="install a static busybox")
            return busybox(state)
        unpack("busybox-static", own)
    return next(path.parent for path in (own / "bin/busybox", own / "usr/bin/busybox") if path.exists())


def _dynamic(binary: Path) -> bool:
    """Return whether a program names a loader: then it cannot run in an image FROM scratch."""
    return b"/ld-linux" in binary.read_bytes()[:4096] or b"/ld-musl" in binary.read_bytes()[:4096]


def buildx(state: Path) -> Path:
    """Return a docker configuration directory with docker-buildx in cli-plugins: the installed one, or Debian's, unpacked."""
    config = state / "docker-config"
    plugin = config / "cli-plugins/docker-buildx"
    if not os.access(plugin, os.X_OK):
        found = _installed() or _fetched(state)
        plugin.parent.mkdir(parents=True, exist_ok=True)
        plugin.unlink(missing_ok=True)
        plugin.symlink_to(found)
    return config


def _installed() -> Path | None:
    home = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker"))
    directories = (home, *map(Path, PLUGIN_DIRECTORIES))
    plugins = [directory / "cli-plugins/docker-buildx" for directory in directories] + [
        Path(found) for found in (which("docker-buildx"),) if found
    ]
    return next((plugin.resolve() for plugin in plugins if os.access(plugin, os.X_OK)), None)


def _fetched(state: Path) -> Path:
    own = fetched(state, "docker-buildx")
    found = next(own.glob("usr/*/docker/cli-plugins/docker-buildx"), None)
    if found is None:
        raise LabError("the package docker-buildx holds no plugin.")
    return found


def fetched(state: Path, package: str, suite: str | None = None) -> Path:
    """Return a directory with the unpacked files of a package: of this machine's suite, else of the next, or of `suite`."""
    own = state / "packages" / (f"{package}-{suite}" if suite else package)
    if own.exists():
        return own
    report(f"fetching {package} with apt")
    work = state / "packages/other-suite"
    try:
        available = suite is None and candidate(package)
        unpack(package, own, () if available else other_suite_options(work, suite))
    except LabError as error:
        shutil.rmtree(own, ignore_errors=True)
        raise LabError(f"{package} is not available: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return own


def venv(where: Path) -> None:
    """Make a virtual environment. Debian and Ubuntu ship ensurepip in a separate package."""
    if (where / "bin/python").exists() and (where / "bin/pip").exists():
        return
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        apt_install([f"python{sys.version_info.major}.{sys.version_info.minor}-venv"], why="make a virtual environment")
    run([sys.executable, "-m", "venv", "--clear", str(where)])
