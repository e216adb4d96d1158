"""Programs for the tests of ledger stores: PostgreSQL and OpenSSH's server, the installed or the distribution's.

Tests start their own servers. The ssh server is unpacked rather than installed, because
its package would start a server on the machine at every boot.
"""

import os
from pathlib import Path

from parts.errors import LabError
from parts.machine import apt_install, as_root, report, run, which
from parts.tools import fetched

VERSIONS = Path("/usr/lib/postgresql")


def postgres(state: Path) -> Path:
    """Return a directory with `initdb` and `postgres`, of the newest version on this machine."""
    del state
    found = _newest()
    if found is None:
        report("the package would start a database for the whole machine: that is disabled")
        setting = (
            "mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' >> /etc/postgresql-common/createcluster.conf"
        )
        as_root(["sh", "-c", setting], why="install PostgreSQL without a database of its own")
        apt_install(["postgresql"], why="install PostgreSQL")
        found = _newest()
    if found is None:
        raise LabError("PostgreSQL was installed, and there is no initdb below /usr/lib/postgresql.")
    return found


def _newest() -> Path | None:
    versions = [path.parent for path in VERSIONS.glob("*/bin/initdb") if (path.parent / "postgres").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


LIBRARIES = {"libwrap.so.0": "libwrap0", "libwtmpdb.so.0": "libwtmpdb0"}


def sshd(state: Path) -> str:
    """Return the program, and the directories of libraries that are missing on this machine, in the format of PATH."""
    if which("ssh") is None:
        apt_install(["openssh-client"], why="install an ssh client")
    installed = which("sshd")
    if installed is not None:
        return installed
    program = fetched(state, "openssh-server") / "usr/sbin/sshd"
    libraries = [_library(state, name) for name in _unresolved(program)]
    return os.pathsep.join(map(str, [program, *libraries]))


def _unresolved(program: Path) -> list[str]:
    return [line.split()[0] for line in run(["ldd", str(program)]).splitlines() if line.endswith("not found")]


def _library(state: Path, name: str) -> Path:
    if name not in LIBRARIES:
        raise LabError(f"the unpacked sshd misses {name} on this machine: install openssh-server yourself.")
    found = next(fetched(state, LIBRARIES[name]).glob(f"usr/lib/*/{name}"), None)
    if found is None:
        raise LabError(f"the package {LIBRARIES[name]} holds no {name}.")
    return found.parent
