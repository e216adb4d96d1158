"""The `promoter` command: finds the verb, runs it, and turns whatever went wrong into words and an exit code.

Each verb is a file beside this one and is imported only when it is called. What a verb does is `releases.py`'s.
"""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from promoter.ui.cli import completion
from promoter.ui.cli.ci.session import take
from promoter.ui.cli.errors import explain
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

VERBS = {
    "init": "Writes a pipeline.yaml from a Compose file or a Dockerfile.",
    "validate": "Checks the pipeline file, all environments; touches nothing.",
    "run": "Builds, pushes and promotes as far as the gates allow.",
    "build": "Builds and pushes only: makes a release.",
    "promote": "Carries an existing release on, the newest by default.",
    "plan": "Shows what promote would do; changes nothing.",
    "approve": "Shows the case for an environment, asks, and approves.",
    "reject": "Shows the case for an environment, asks, and rejects.",
    "override": "Shows the case, asks, and passes the gates in an emergency.",
    "review": "Looks back on an override, as a second person.",
    "explain": "Explains each gate: its verdict, who can open it, when, and how.",
    "reviews": "Records what people said on the platform about this CI run.",
    "rollback": "Brings back an earlier verified release and pins the environment.",
    "repair": "Brings the recorded release back to running, and nothing else.",
    "pin": "Keeps an environment as it is: promotions leave it alone.",
    "unpin": "Lets promotions into a pinned environment again.",
    "freeze": "Lets nothing into an environment, or into any of them.",
    "unfreeze": "Lets promotions in again after a freeze.",
    "veto": "Bans a release, and every other that holds its images.",
    "status": "Shows which release is where, how it is, and what waits.",
    "locks": "Shows who holds which environment.",
    "history": "Shows what happened, oldest first.",
    "show": "Shows one release: what it is made of, where it is and was.",
    "diff": "Compares what runs in two environments.",
    "logs": "Shows what the containers and checks of a release wrote.",
    "ledger": "Checks the ledger, writes it out, or copies it to another home.",
    "schema": "Prints the JSON Schema of the pipeline file.",
    "doctor": "Says what is missing on this machine.",
}
_ROOMS = {"reject": "approve", "review": "override", "unpin": "pin", "freeze": "pin", "unfreeze": "pin"}


class Verbs(TyperGroup):
    """Lists the verbs from the table above and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        attributes["commands"] = {name: TyperCommand(name, help=summary) for name, summary in VERBS.items()}
        super().__init__(**attributes)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, placeholder, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else placeholder, rest


def load(name: str) -> Any:
    """The command of a verb, with its parameters."""
    target = getattr(import_module(f"promoter.ui.cli.{_ROOMS.get(name, name)}"), name)
    if not isinstance(target, typer.Typer):
        function, target = target, new_app()
        target.command(name)(function)
    command = get_command(target)
    command.name = name
    return command


def new_app(**attributes: Any) -> typer.Typer:
    """Plain text help: rich would double the time that help takes."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **attributes)


app = typer.Typer(cls=Verbs, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
@verb
def root(_: Common) -> None:
    """Carries an image, byte for byte, from DEV to TEST to PROD, through gates that mean something.

    \b
    Examples:
      promoter run pipeline.yaml
      promoter approve prod
      promoter promote
    """


def run(argv: Sequence[str]) -> int:
    """Runs one command line and gives its exit code."""
    take(Common(), "")
    if completion.VARIABLE in os.environ:
        completion.quietly(lambda: _main(argv))
    try:
        code = _main(argv)
    except Exception as error:  # noqa: BLE001 -- the edge of the program, where every fault becomes words and a code
        return explain(error, argv)
    return code if isinstance(code, int) else 0


def _main(argv: Sequence[str]) -> Any:
    return get_command(app).main(list(argv), prog_name="promoter", standalone_mode=False)


def main() -> None:
    """The entry point of the `promoter` command."""
    sys.exit(run(sys.argv[1:]))
