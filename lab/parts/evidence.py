"""What evidence gates are tested with: cosign, old and new, and a Prometheus. Programs only: tests start them.

Unpacked rather than installed: the package would start a Prometheus for the whole network at every boot.
"""

from pathlib import Path

from parts.errors import LabError
from parts.machine import report, which
from parts.tools import fetched

NEWEST = "sid"


def prometheus(state: Path) -> Path:
    """Return the installed Prometheus, or the distribution's, unpacked."""
    installed = which("prometheus")
    return Path(installed) if installed else _program(fetched(state, "prometheus"), "prometheus")


def cosign(state: Path) -> str:
    """Programs, as PATH lists directories: the installed one or Debian's, and the newest, which stores signatures otherwise."""
    installed = which("cosign")
    found = [Path(installed) if installed else _program(fetched(state, "cosign"), "cosign")]
    try:
        found.append(_program(fetched(state, "cosign", NEWEST), "cosign"))
    except LabError as error:
        report(f"only one cosign: {error}")
    return ":".join(map(str, found))


def _program(own: Path, name: str) -> Path:
    program = own / "usr/bin" / name
    if not program.exists():
        raise LabError(f"the package {name} holds no program of that name.")
    return program
