"""The `promoter` command and `python -m promoter`.

Collecting garbage while modules are imported, and once more at the end of the process, finds next to nothing and takes a tenth of
a short command. So it is done rarely, and the end leaves it out.
"""

import atexit
import gc


def main() -> None:
    """End the process with the exit code of the command."""
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
    from promoter.ui.cli.app import main as command

    command()


if __name__ == "__main__":
    main()
