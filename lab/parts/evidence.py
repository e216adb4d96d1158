"""Programs for the tests of evidence gates: an old and a new cosign, and a Prometheus. The tests start them.

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
    """Return programs, in the format of PATH: the installed or Debian's, and the newest. It stores signatures differently."""
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
