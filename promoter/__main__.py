"""The `promoter` command and `python -m promoter`.

Collecting garbage while modules are imported finds none and takes a fifth of the start: it waits until they are in.
"""

import gc


def main() -> None:
    """End the process with the exit code of the command."""
    gc.disable()
    from promoter.ui.cli.app import main as command

    command()


if __name__ == "__main__":
    main()
