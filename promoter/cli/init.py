"""`promoter init`."""

from pathlib import Path
from typing import Annotated

import typer

from promoter.cli.common import Common, verb
from promoter.cli.completing import any_file
from promoter.cli.output import complain, say, say_json
from promoter.model.errors import CallerError, FileFaults, WorldError

_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", autocompletion=any_file, help="A Compose file or a Dockerfile (what is found here)."),
]
Force = Annotated[bool, typer.Option("--force", help="Write over a pipeline file that is there.")]


@verb
def init(common: Common, source: From = None, force: Force = False) -> int:
    """Writes a pipeline.yaml from a Compose file or a Dockerfile.

    The file has comments, three environments and an approval before prod. Nothing is ever written over without
    --force.

    \b
    Examples:
      promoter init
      promoter init --from compose.yaml
      promoter init -f deploy/pipeline.yaml --from deploy/compose.yaml
    """
    target = common.pipeline
    if target.exists() and not force:
        raise CallerError(f"{target} is there already", hint="say --force to write over it, or -f FILE to write elsewhere")
    source = source or _found(target.parent)
    if source.resolve().parent != target.resolve().parent:
        raise CallerError(
            f"{source} and {target} are in different directories, so the paths in it would mean something else",
            hint=f"write the pipeline beside it: promoter init --from {source} -f {source.parent / 'pipeline.yaml'}",
        )
    _write(target, _text(source))
    return _tell(common, target, source)


def _found(directory: Path) -> Path:
    for name in (*_COMPOSE, "Dockerfile"):
        if (directory / name).is_file():
            return directory / name
    raise CallerError("there is no Compose file and no Dockerfile here", hint="name one with --from FILE")


def _text(source: Path) -> str:
    from promoter.document.reader import read_document
    from promoter.initialise import from_compose, from_dockerfile, name_from

    name = name_from(source.resolve().parent.name)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise CallerError(
            f"{source} cannot be read: {error.strerror}", hint="name a Compose file or a Dockerfile with --from FILE"
        ) from error
    if source.suffix not in (".yaml", ".yml"):
        return from_dockerfile(data.decode("utf-8", "replace"), name)
    document = read_document(data, str(source)).data
    if not isinstance(document, dict) or not isinstance(document.get("services"), dict):
        raise CallerError(f"{source} has no services", hint="a Compose file has a map of services at its top")
    return from_compose(document, name)


def _write(target: Path, text: str) -> None:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorldError(f"{target} cannot be written: {error.strerror}") from error


def _tell(common: Common, target: Path, source: Path) -> int:
    """What promoter cannot carry out of a Compose file is said now, and the file is there to be mended."""
    from promoter.cli.checked import checked

    try:
        checked(target)
    except FileFaults as faults:
        complain(f"promoter: {target} is written, and needs your hand before it can run:")
        raise faults from None
    if common.json:
        say_json({"written": str(target), "from": str(source)})
    elif not common.quiet:
        say(f"{target} is written from {source}\nnext: promoter validate {target}, then promoter run {target}")
    return 0
