"""`promoter schema`."""

from pathlib import Path
from typing import Annotated

import typer

from promoter.model.errors import WorldError
from promoter.ui.cli.completion import any_file
from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.reports.json import as_json

Output = Annotated[
    Path | None, typer.Option("--output", metavar="FILE", autocompletion=any_file, help="Write to this file if it differs.")
]


@verb
def schema(common: Common, output: Output = None) -> None:
    """Print the JSON Schema of the pipeline file.

    Editors use it for completion and hints. The same version of promoter always prints the same schema.

    \b
    Examples:
      promoter schema --output .promoter/pipeline.schema.json
      promoter schema | jq '.properties | keys'
    """
    from promoter.pipeline.json_schema import json_schema

    if output is None:
        print_json(json_schema())
        return
    written = write_schema(output)
    if common.json:
        print_json({"schema": str(output), "written": written})
    elif not common.quiet:
        print_text(f"{output} is {'written' if written else 'up to date'}")


def write_schema(file: Path) -> bool:
    """Write the schema; False if the file was up to date. Raise WorldError."""
    from promoter.pipeline.json_schema import json_schema

    text = as_json(json_schema()) + "\n"
    try:
        if file.is_file() and file.read_text(encoding="utf-8", errors="replace") == text:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorldError(
            f"{file} cannot be written: {error.strerror}",
            hint="use another file with --output, or print the schema: promoter schema",
        ) from error
    return True
