"""The `promoter` command and `python -m promoter`.

Collecting garbage while modules are imported, and once more at the end of the process, finds next to nothing and takes a tenth of
a short command. So it is done rarely, and the end leaves it out.

Pydantic would search for plugins, which takes longer than validating the file.
"""

import atexit
import gc
import os

GARBAGE = 500_000
"""New objects after which garbage is collected: more than a short command makes, about 50 MB."""


def main() -> None:
    """End the process with the exit code of the command."""
    gc.set_threshold(GARBAGE)
    atexit.register(gc.freeze)
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"
    from promoter.ui.cli.app import main as command

    command()


if __name__ == "__main__":
    main()
