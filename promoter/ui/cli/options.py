"""The global options, before or after a command's name, merged to one value.

`verb` turns a function whose first parameter is `Common` into a command.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate

import typer

from promoter.ui.cli.ci.session import start_verb
from promoter.ui.cli.completion import files
from promoter.ui.cli.global_options import Common


def _version(wanted: bool) -> None:
    if wanted:
        from promoter import __version__

        typer.echo(f"promoter {__version__}")
        raise typer.Exit


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "file": (
        Path | None,
        typer.Option("-f", "--file", metavar="FILE", autocompletion=files, help="The pipeline file (pipeline.yaml)."),
    ),
    "json": (bool, typer.Option("--json", help="Print one JSON document on stdout, everything else on stderr.")),
    "ledger": (str | None, typer.Option("--ledger", metavar="URL", help="The ledger to use.")),
    "actor": (str | None, typer.Option("--actor", metavar="NAME", help="Your name in the ledger.")),
    "quiet": (bool, typer.Option("--quiet", help="Show no progress; print a summary only on problems.")),
    "verbose": (bool, typer.Option("-v", "--verbose", help="Show more: every step, whole digests, the build log.")),
    "version": (bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")),
}


def verb(function: Callable[Concatenate[Common, ...], int | None]) -> Callable[..., int | None]:
    """Make a command of `function`: its own parameters after the first, and the global options."""
    own = [p.replace(kind=p.KEYWORD_ONLY) for p in inspect.signature(function, eval_str=True).parameters.values()][1:]

    @wraps(function)
    def command(**words: Any) -> int | None:
        context: typer.Context = words.pop("ctx")
        given = {name.removeprefix("global_"): words.pop(name) for name in list(words) if name.startswith("global_")}
        given.pop("version")
        context.obj = Common(**given).over(context.obj or Common())
        options = Common(file=words.get("file")).over(context.obj)  # the file may be an argument of the verb
        start_verb(options, context.command_path.removeprefix("promoter").strip())
        return function(context.obj, **words)

    parameters = [_parameter("ctx", typer.Context, inspect.Parameter.empty), *own, *_globals()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # inspect reads it; typeshed lacks it
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _globals() -> list[inspect.Parameter]:
    return [
        _parameter(f"global_{name}", Annotated[kind, option], False if kind is bool else None)
        for name, (kind, option) in _OPTIONS.items()
    ]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
