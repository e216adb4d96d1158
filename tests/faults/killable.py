"""The real `promoter` command, killed by SIGKILL at a point. PROMOTER_DIE_AT is the number of the point. PROMOTER_POINTS is
the file to which the name of each point is written when it is reached. Reads change nothing and are not points here.

With PROMOTER_EXEC_POINTS each command inside a container is a point too: the servers of a front are switched by them.
With PROMOTER_ELSEWHERE it reports another machine as its own: no process here can know that it is dead.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from promoter import bootstrap
from promoter.adapters import process_owner
from promoter.adapters.builders import select
from tests.faults.points import Points, unwrapped

ENGINE = ("pull", "push", "ensure_network", "ensure_volume", "create", "start", "stop", "rename", "remove", "remove_image")
LEDGER = ("append", "acquire", "release")
REGISTRY = ("copy", "tag")
OTHER_MACHINE = "e15e0000"
"""The mark of that other machine."""


class _Recorded(Points):
    """Write the name of each point to a file before the process may be killed there."""

    def __init__(self, at: int | None, file: Path) -> None:
        super().__init__(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
        self._file = file

    def reach(self, name: str) -> None:
        with self._file.open("a") as output:
            output.write(f"{name}\n")
        super().reach(name)


def main() -> None:
    at = os.environ.get("PROMOTER_DIE_AT")
    points = _Recorded(int(at) if at else None, Path(os.environ["PROMOTER_POINTS"]))

    def killable(name: str, port: str, verbs: tuple[str, ...]) -> None:
        real: Any = getattr(bootstrap, name)
        setattr(bootstrap, name, lambda *words, **named: points.wrapped(real(*words, **named), port, verbs))

    killable("open_engine", "engine", (*ENGINE, "exec") if "PROMOTER_EXEC_POINTS" in os.environ else ENGINE)
    killable("open_ledger", "ledger", LEDGER)
    killable("HttpRegistry", "registry", REGISTRY)
    killable("OutsideProbes", "probes", ("command",))
    choose: Any = select.choose_builder

    def builder(choice: str, engine: Any, **named: Any) -> Any:
        """Return the builder of the real engine. Its whole build is one point."""
        return points.wrapped(choose(choice, unwrapped(engine), **named), "builder", ("build",))

    select.choose_builder = builder
    if "PROMOTER_ELSEWHERE" in os.environ:
        process_owner._mark = lambda: OTHER_MACHINE
    from promoter.ui.cli.app import main as command

    sys.argv[0] = "promoter"
    command()


if __name__ == "__main__":
    main()
