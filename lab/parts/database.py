"""PostgreSQL's own programs: the installed ones, else the distribution's. Whoever wants a server starts one of its own."""

from pathlib import Path

from parts.errors import LabError
from parts.machine import apt_install, as_root, say

ROOMS = Path("/usr/lib/postgresql")


def postgres(state: Path) -> Path:
    """A directory that holds `initdb` and `postgres`, of the newest version that is there."""
    del state
    found = _newest()
    if found is None:
        say("the package would start a database for the whole machine: it is told not to")
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
    versions = [path.parent for path in ROOMS.glob("*/bin/initdb") if (path.parent / "postgres").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)
