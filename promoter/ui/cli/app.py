"""The `promoter` command: find the verb, run it, and turn errors into messages and an exit code.

Each verb is a file in this folder. It is imported only when it is called.
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
from promoter.ui.cli.ci.session import new_session
from promoter.ui.cli.errors import explain
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

VERBS = {
    "init": "Write a pipeline.yaml from a Compose file or a Dockerfile.",
    "validate": "Check the pipeline file for all environments; change nothing.",
    "run": "Build, push and promote as far as the gates allow.",
    "build": "Build and push only: make a release.",
    "promote": "Continue promoting a release, the newest by default.",
    "ci": "Do what the event of this CI job asks for.",
    "plan": "Show what promote would do; change nothing.",
    "approve": "Approve what waits for an environment, after a confirmation.",
    "reject": "Reject what waits for an environment, after a confirmation.",
    "override": "Pass the gates in an emergency, after a confirmation.",
    "review": "Review an override, as a second person.",
    "explain": "Explain each gate: its verdict, who can open it, when, and how.",
    "reviews": "Import the reviews of this CI run from the platform.",
    "rollback": "Roll an environment back and pin it.",
    "repair": "Restore the recorded release where containers are down.",
    "pin": "Pin an environment: automatic promotions do not change it.",
    "unpin": "Allow promotions into a pinned environment again.",
    "freeze": "Block promotions into an environment, or into all of them.",
    "unfreeze": "Allow promotions again after a freeze.",
    "veto": "Ban a release, and every other with its images.",
    "status": "Show the release, health and waiting release of each environment.",
    "drift": "Compare what runs with what was recorded; change nothing.",
    "inbox": "Show what waits for you, and the command for each.",
    "locks": "Show which run holds which environment.",
    "history": "Show what happened: one line for each promotion and decision.",
    "show": "Show one release: its images, its source, where it is and was.",
    "diff": "Compare what runs in two environments.",
    "logs": "Show the output of an environment, or of a release.",
    "exec": "Run a command in the container of a service, and record it.",
    "ledger": "Verify, export or copy the ledger.",
    "schema": "Print the JSON Schema of the pipeline file.",
    "doctor": "Check what is missing on this machine.",
}
GROUPS = {
    "Promote": ("run", "build", "promote", "plan", "ci"),
    "Decide": ("inbox", "approve", "reject", "explain", "override", "review", "reviews"),
    "In an emergency": ("rollback", "repair", "pin", "unpin", "freeze", "unfreeze", "veto", "exec"),
    "Look": ("status", "drift", "history", "show", "diff", "logs", "locks"),
    "Set up": ("init", "validate", "doctor", "schema", "ledger"),
}
"""The commands of the help, by what they are for. Each is in one group."""
_FILES = {"ci": "ci_event", "reject": "approve", "review": "override", "unpin": "pin", "freeze": "pin", "unfreeze": "pin"}
_FUNCTIONS = {"exec": "execute"}
"""Commands with the name of a function of Python."""


class Verbs(TyperGroup):
    """List the verbs from the table above and import the one that is called."""

    def __init__(self, **attributes: Any) -> None:
        attributes["commands"] = {name: TyperCommand(name, help=summary) for name, summary in VERBS.items()}
        super().__init__(**attributes)
        self.context_settings["help_option_names"] = ["-h", "--help"]

    def format_commands(self, _: Any, formatter: Any) -> None:
        """Write the commands in groups."""
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, VERBS[name]) for name in names])

    def invoke(self, ctx: Any) -> Any:
        result = super().invoke(ctx)
        if ctx.invoked_subcommand is None:
            from promoter.ui.cli.overview import overview

            overview(ctx.obj)
        return result

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, placeholder, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else placeholder, rest


def load(name: str) -> Any:
    """Return the command of a verb, with its parameters."""
    target = getattr(import_module(f"promoter.ui.cli.{_FILES.get(name, name)}"), _FUNCTIONS.get(name, name))
    if not isinstance(target, typer.Typer):
        function, target = target, new_app()
        target.command(name)(function)
    command = get_command(target)
    command.name = name
    _short_help(command)
    return command


def _short_help(command: Any) -> None:
    """Accept `-h` for `--help`, also in the commands of a group."""
    command.context_settings["help_option_names"] = ["-h", "--help"]
    for inner in getattr(command, "commands", {}).values():
        _short_help(inner)


def new_app(**attributes: Any) -> typer.Typer:
    """Plain text help: rich would double the time that help takes."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, **attributes)


app = typer.Typer(cls=Verbs, rich_markup_mode=None, pretty_exceptions_enable=False, invoke_without_command=True)


@app.callback()
@verb
def root(_: Common) -> None:
    """Move the same image from DEV to TEST to PROD; checks and approvals decide when.

    Without a command it shows the status and what to do next.

    \b
    Examples:
      promoter run pipeline.yaml
      promoter approve prod
      promoter promote
    """


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    with new_session():
        if completion.VARIABLE in os.environ:
            completion.quietly(lambda: _main(argv))
        try:
            code = _main(argv)
        except Exception as error:  # noqa: BLE001 -- the edge of the program, where every error becomes a message and a code
            return explain(error, argv)
        return code if isinstance(code, int) else 0


def _main(argv: Sequence[str]) -> Any:
    return get_command(app).main(list(argv), prog_name="promoter", standalone_mode=False)


def main() -> None:
    """Run the `promoter` command."""
    sys.exit(run(sys.argv[1:]))
