"""The programs of this machine, how to become root, and Debian packages, installed or only unpacked."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from parts.errors import LabError
from parts.lab_state import machine_lock

SEARCH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
APT_GET = ("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=2")
# A package may start a service, and the lab needs a private one: systemd ignores `start` in offline mode.
APT_ENV = {"DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}


def which(program: str) -> str | None:
    return shutil.which(program, path=SEARCH)


def report(text: str) -> None:
    print(f"lab: {text}", file=sys.stderr, flush=True)


def run(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a command and return its output. Raise an error with the last lines of its output if it fails."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not on this machine.") from error
    if done.returncode:
        last = "\n".join("  " + line for line in (done.stderr or done.stdout).strip().splitlines()[-20:])
        raise LabError(f"`{' '.join(argv)}` failed with exit code {done.returncode}:\n{last}")
    return done.stdout


def as_root(argv: Sequence[str], *, why: str) -> None:
    """Run as root: directly, or with sudo, which asks for its password on the terminal."""
    if os.geteuid() != 0:
        argv = (*_sudo(why), *argv)
    try:
        run(argv)
    except LabError as error:
        raise LabError(f"could not {why}: {error}") from error


def _sudo(why: str) -> tuple[str, ...]:
    sudo = which("sudo")
    if sudo is None:
        raise LabError(
            f"to {why}, the lab must be root, and there is no sudo.\n"
            "Run it as root, or start a Docker Engine yourself and name it in DOCKER_HOST."
        )
    silent = subprocess.run([sudo, "-n", "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    if not silent and not sys.stderr.isatty():
        raise LabError(
            f"to {why}, the lab must be root, and sudo asks for a password with no terminal to ask on. Run `sudo -v` first."
        )
    return (sudo, "-n") if silent else (sudo,)


def apt_install(packages: Sequence[str], *, why: str) -> None:
    apt = which("apt-get")
    if apt is None:
        raise LabError(
            f"to {why}, the lab installs {' '.join(packages)} with apt, and this machine has no apt-get: install it yourself."
        )
    report(f"installing {' '.join(packages)} with apt")
    env = ["env", *(f"{name}={value}" for name, value in APT_ENV.items())]
    with machine_lock(apt):
        if any(not candidate(package) for package in packages):
            as_root([*env, *APT_GET, "update"], why="refresh apt's package lists")
        try:
            as_root([*env, *APT_GET, "install", "--no-install-recommends", *packages], why=why)
        except LabError:  # the lists may be older than the archive
            as_root([*env, *APT_GET, "update"], why="refresh apt's package lists")
            as_root([*env, *APT_GET, "install", "--no-install-recommends", *packages], why=why)


def candidate(package: str, options: Sequence[str] = ()) -> bool:
    """Return whether apt can download this package."""
    try:
        text = run(["apt-cache", *options, "policy", package], env={"LC_ALL": "C"})
    except LabError:
        return False
    return "Candidate:" in text and "Candidate: (none)" not in text


def candidate_version(package: str, options: Sequence[str] = ()) -> str:
    """Return the version that apt can download; empty without one."""
    text = run(["apt-cache", *options, "policy", package], env={"LC_ALL": "C"})
    version = text.partition("Candidate: ")[2].partition("\n")[0]
    return "" if version == "(none)" else version


def unpack(package: str, into: Path, options: Sequence[str] = ()) -> None:
    """Unpack a package into a directory. This needs no root and starts no service."""
    fetched = into.with_name(into.name + ".fetch")
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir(parents=True)
    run(["apt-get", *options, "-q", "download", package], cwd=fetched)
    deb = next(iter(fetched.glob("*.deb")), None)
    if deb is None:
        raise LabError(f"apt downloaded no {package}.")
    run(["dpkg-deb", "-x", str(deb), str(into)])
    shutil.rmtree(fetched)


def release() -> dict[str, str]:
    """Return /etc/os-release."""
    lines = Path("/etc/os-release").read_text().splitlines()
    return {name: value.strip('"') for name, _, value in (line.partition("=") for line in lines if "=" in line)}
