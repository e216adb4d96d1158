"""The real `promoter` command, which dies by SIGKILL at a point: PROMOTER_DIE_AT is its number, PROMOTER_POINTS the file that
every point's name is written to as it is reached. Looking changes nothing and is no point here.

With PROMOTER_EXEC_POINTS each command inside a container is a point too: that is how the servers of a front are switched.
With PROMOTER_ELSEWHERE it says that it runs on another machine: nobody here can know that it is dead.
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
    """Names each point in a file before it may die there."""

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
        """The builder of the real engine: what it does there is one point of its own."""
        return points.wrapped(choose(choice, unwrapped(engine), **named), "builder", ("build",))

    select.choose_builder = builder
    if "PROMOTER_ELSEWHERE" in os.environ:
        process_owner._mark = lambda: OTHER_MACHINE
    from promoter.ui.cli.app import main as command

    sys.argv[0] = "promoter"
    command()


if __name__ == "__main__":
    main()
