"""`promoter init`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from promoter.model.errors import CallerError, InvalidFile, WorldError
from promoter.ui.cli.completion import any_file
from promoter.ui.cli.console import complain, print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb

if TYPE_CHECKING:
    from promoter.pipeline.scaffold.importer import PipelineDraft

_IGNORED = (
    "# What promoter keeps here is this machine's own, but for these.\n*\n!.gitignore\n!allowed_signers\n!pipeline.schema.json\n"
)
From = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="FILE", autocompletion=any_file, help="A Compose file or a Dockerfile (default: the one found here)."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
Name = Annotated[str | None, typer.Option("--name", metavar="NAME", help="The pipeline's name (default: the Compose file's).")]
Registry = Annotated[
    str | None, typer.Option("--registry", metavar="HOST/PATH", help="The registry that built images are pushed to.")
]
Environments = Annotated[
    str | None, typer.Option("--environments", metavar="NAMES", help="The environments, in order (default: dev,test,prod).")
]
People = Annotated[
    str | None, typer.Option("--approvers", metavar="PEOPLE", help="Who approves the last environment (default: anyone).")
]
Platform = Annotated[str | None, typer.Option("--ci", metavar="PLATFORM", help="Also write the workflow: github or gitlab.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask questions.")]


@verb
def init(
    common: Common,
    source: From = None,
    name: Name = None,
    registry: Registry = None,
    environments: Environments = None,
    approvers: People = None,
    ci: Platform = None,
    yes: Yes = False,
    force: Force = False,
) -> int:
    """Write a pipeline.yaml from a Compose file or a Dockerfile.

    Asks a few questions on a terminal, never in CI; each has an option. The file has comments, and an approval before
    the last environment. With --ci the workflow is written too, even if the pipeline file exists already.
    Existing files are overwritten only with --force.

    \b
    Examples:
      promoter init
      promoter init --yes --ci github
      promoter init --from compose.yaml --registry registry.example.com/acme --environments test,prod
      promoter init -f deploy/pipeline.yaml --from deploy/compose.yaml
    """
    from promoter.ui.cli.init_files import Beginning, existing
    from promoter.ui.cli.init_questions import GivenOptions, may_ask

    given = GivenOptions(name, registry, environments, approvers, ci)
    target = common.pipeline
    if target.exists() and not force:
        texts, source = existing(target, given), None
    else:
        source = source or _found(target.parent)
        _require_same_directory(source, target)
        begin = Beginning(target, lambda named: _draft(source, named))
        try:
            texts = begin.texts(given, ask=may_ask(yes=yes or common.json or common.quiet))
        except (typer.Abort, KeyboardInterrupt):
            complain("\npromoter: nothing was written")
            return 130
    _write(texts, force=force)
    return _report(common, target, source, [*texts])


def _found(directory: Path) -> Path:
    from promoter.ui.cli.init_compose import NAMES

    for name in (*NAMES, "Dockerfile"):
        if (directory / name).is_file():
            return directory / name
    raise CallerError("no Compose file and no Dockerfile here", hint="name one with --from FILE")


def _require_same_directory(source: Path, target: Path) -> None:
    if source.resolve().parent != target.resolve().parent:
        raise CallerError(
            f"{source} and {target} are in different directories, so relative paths in it would change their meaning",
            hint=f"write it to the same directory: promoter init --from {source} -f {source.parent / 'pipeline.yaml'}",
        )


def _draft(source: Path, named: str | None) -> "PipelineDraft":
    from promoter.config.regular_file import read_regular
    from promoter.config.yaml.reader import read_documents
    from promoter.pipeline.scaffold.importer import from_dockerfile, name_from
    from promoter.ui.cli.init_compose import compose_draft

    name = named or name_from(source.resolve().parent.name)
    try:
        data = read_regular(source)
    except OSError as error:
        raise CallerError(
            f"{source} cannot be read: {error.strerror}", hint="name a Compose file or a Dockerfile with --from FILE"
        ) from error
    if source.suffix not in (".yaml", ".yml"):
        return from_dockerfile(data.decode("utf-8", "replace"), name)
    documents = read_documents(data, str(source))
    return compose_draft(source, documents, named, name)


def _write(texts: Mapping[Path, str], *, force: bool) -> None:
    """Write all files, or none if one exists already."""
    for file in texts:
        if file.exists() and not force:
            raise CallerError(f"{file} exists already", hint="use --force to overwrite it, or -f FILE to write another file")
    for file, text in texts.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WorldError(f"{file} cannot be written: {error.strerror}") from error


def _report(common: Common, target: Path, source: Path | None, files: list[Path]) -> int:
    """Report what was written, and which lines of a Compose file promoter does not support."""
    from promoter.ui.cli.load_file import checked, print_remarks

    if source is not None:
        files += _for_editors(target)
    try:
        remarks = checked(target).remarks
    except InvalidFile as faults:
        if source is not None:
            complain(f"promoter: {target} is written; edit these lines before the first run:")
        raise faults from None
    if not common.quiet:
        print_remarks(remarks)
    if common.json:
        written = {"written": str(target), "from": str(source)} if source else {"written": None, "from": None}
        print_json({**written, "files": [str(file) for file in files]})
    elif not common.quiet:
        more = [file for file in files if file != target and file.parent.name != ".promoter"]
        lines = [f"{target} is written from {source}"] if source else []
        print_text("\n".join([*lines, *(f"{_relative(file)} is written" for file in more), _next(target, source, more)]))
    return 0


def _relative(file: Path) -> Path:
    current = Path.cwd()
    return file.relative_to(current) if file.is_relative_to(current) else file


def _next(target: Path, source: Path | None, more: list[Path]) -> str:
    if more:
        return f"next: read {'it' if source is None else 'them'}, promoter doctor -f {target}, then commit and push"
    return f"next: promoter validate {target}, then promoter run {target}"


def _for_editors(target: Path) -> list[Path]:
    """Write the schema that the file's first line names, and the .gitignore in its directory."""
    from promoter.pipeline.scaffold.writer import SCHEMA
    from promoter.ui.cli.schema import write_schema

    schema = target.parent / SCHEMA
    ignored = schema.parent / ".gitignore"
    written = [schema] if write_schema(schema) else []
    if not ignored.exists():
        _write({ignored: _IGNORED}, force=False)
        written.append(ignored)
    return written
