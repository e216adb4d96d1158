"""What HAProxy's runtime socket answers, and the commands for it. Pure.

Source: HAProxy's management guide, `set server`, `show servers state`, `show stat`.
"""

import csv
from collections.abc import Iterable, Mapping

from promoter.model.dataclass import dataclass

DRAINED = 0x08 | 0x10
"""The bits of `srv_admin_state` for a drain that was asked for, or inherited."""
MAINTENANCE = 0x01 | 0x02
"""The bits for maintenance that was asked for, or inherited."""
UNRESOLVED = 0x20
"""The bit for maintenance because the name has no address."""


@dataclass(frozen=True)
class ServerState:
    """One server. `address` is None while its name has none. `target` is its name on the network and its port."""

    address: str | None
    admin: int
    target: str = ""

    @property
    def held_back(self) -> bool:
        """Return whether a command keeps requests from it."""
        return bool(self.admin & (DRAINED | MAINTENANCE))

    @property
    def admitted(self) -> bool:
        return self.address is not None and not self.held_back and not self.admin & UNRESOLVED


@dataclass(frozen=True)
class Traffic:
    """What one server has done so far. `sessions` are open now, `answers` were complete, `refused` connections failed.

    `errors` are failed connections, answers that were not complete, and those with a status of 500 or more.
    """

    sessions: int
    answers: int
    total: int
    refused: int
    errors: int = 0
    http: bool = True

    @property
    def answered(self) -> int:
        """Return the number of answers; in mode tcp that of connections that were served and have ended."""
        return self.answers if self.http else max(0, self.total - self.refused - self.sessions)


Key = tuple[str, str]
"""The names of the backend and of the server."""


def states(text: str) -> Mapping[Key, ServerState]:
    """Read `show servers state`. Raise ValueError for any other text."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or lines[0].strip() != "1" or len(lines) < 2 or not lines[1].startswith("# "):
        raise ValueError("expected the states of servers, version 1")
    columns = lines[1].removeprefix("# ").split()
    found = {}
    for line in lines[2:]:
        row = dict(zip(columns, line.split(), strict=False))
        if len(row) < len(columns):
            raise ValueError("a line of the states of servers ends too early")
        address, name = (None if row.get(key, "-") == "-" else row[key] for key in ("srv_addr", "srv_fqdn"))
        target = f"{name or address}:{row.get('srv_port', '')}"
        found[row["be_name"], row["srv_name"]] = ServerState(address, int(row["srv_admin_state"]), target)
    return found


def traffic(text: str) -> Mapping[Key, Traffic]:
    """Read `show stat`. Raise ValueError for any other text."""
    if not text.lstrip().startswith("# pxname,"):
        raise ValueError("expected the statistics of servers")
    rows = csv.DictReader(text.lstrip().removeprefix("# ").splitlines())
    return {(row["pxname"], row["svname"]): _traffic(row) for row in rows if row["svname"] not in ("FRONTEND", "BACKEND")}


def _traffic(row: Mapping[str, str]) -> Traffic:
    def number(key: str) -> int:
        return int(row.get(key) or 0)

    answers = sum(number(f"hrsp_{group}") for group in ("1xx", "2xx", "3xx", "4xx", "5xx", "other"))
    errors = number("econ") + number("eresp") + number("hrsp_5xx")
    http = row.get("mode") != "tcp"
    return Traffic(number("scur") + number("qcur"), answers, number("stot"), number("econ"), errors, http)


def set_state(keys: Iterable[Key], state: str) -> str:
    """Return the commands that set the state of servers: `ready` or `drain`."""
    return "; ".join(f"set server {backend}/{server} state {state}" for backend, server in keys)


def end_sessions(keys: Iterable[Key]) -> str:
    """Return the commands that end all open sessions of servers."""
    return "; ".join(f"shutdown sessions server {backend}/{server}" for backend, server in keys)
