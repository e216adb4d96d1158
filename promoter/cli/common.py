"""The options that every command takes, before its name or after it, and how the two places become one value.

`verb` turns a function whose first parameter is `Common` into a command. What the options mean is not decided here.
"""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from promoter.model.errors import CallerError

P = ParamSpec("P")
DEFAULT_FILE = "pipeline.yaml"


@dataclass(frozen=True, slots=True)
class Common:
    """The global options of one call. `file` is None when nobody named one."""

    file: Path | None = None
    json: bool = False
    ledger: str | None = None
    actor: str | None = None
    quiet: bool = False

    def over(self, other: "Common") -> "Common":
        """What was said nearer to the command wins."""
        return Common(**{f.name: getattr(self, f.name) or getattr(other, f.name) for f in fields(Common)})

    def at(self, argument: Path | None) -> "Common":
        """With the file that stands as an argument of `run`, `build` or `validate`."""
        if argument and self.file and argument != self.file:
            raise CallerError(f"two pipeline files are named: {argument} and {self.file}", hint="name one of them")
        return Common(file=argument).over(self)

    @property
    def pipeline(self) -> Path:
        """The pipeline file: as named, or PROMOTER_FILE, or `pipeline.yaml` here."""
        return self.file or Path(os.environ.get("PROMOTER_FILE") or DEFAULT_FILE)


def _version(wanted: bool) -> None:
    if wanted:
        from promoter import __version__

        typer.echo(f"promoter {__version__}")
        raise typer.Exit


_OPTIONS: dict[str, tuple[Any, Any]] = {
    "file": (Path | None, typer.Option("-f", "--file", metavar="FILE", help="The pipeline file (pipeline.yaml).")),
    "json": (bool, typer.Option("--json", help="One JSON document on stdout, everything else on stderr.")),
    "ledger": (str | None, typer.Option("--ledger", metavar="URL", help="Where the ledger is kept.")),
    "actor": (str | None, typer.Option("--actor", metavar="NAME", help="Who you are, in the ledger.")),
    "quiet": (bool, typer.Option("--quiet", help="No progress; a summary only when not all went well.")),
    "version": (bool, typer.Option("--version", is_eager=True, callback=_version, help="The version, and no more.")),
}


def verb(function: Callable[Concatenate[Common, P], int | None]) -> Callable[..., int | None]:
    """The command that `function` becomes: its own parameters after the first, and the global options."""
    own = [p.replace(kind=p.KEYWORD_ONLY) for p in inspect.signature(function, eval_str=True).parameters.values()][1:]

    @wraps(function)
    def command(**words: Any) -> int | None:
        context: typer.Context = words.pop("ctx")
        given = {name.removeprefix("global_"): words.pop(name) for name in list(words) if name.startswith("global_")}
        given.pop("version")
        context.obj = Common(**given).over(context.obj or Common())
        here = Common(file=words.get("file")).over(context.obj)  # the file may be an argument of the verb
        from promoter.cli.desk import take

        take(here, context.command_path.removeprefix("promoter").strip())
        return function(context.obj, **words)  # type: ignore[call-arg]  # the signature below promises them

    parameters = [_parameter("ctx", typer.Context, inspect.Parameter.empty), *own, *_globals()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    return command


def _globals() -> list[inspect.Parameter]:
    return [
        _parameter(f"global_{name}", Annotated[kind, option], False if kind is bool else None)
        for name, (kind, option) in _OPTIONS.items()
    ]


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
