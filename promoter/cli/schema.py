"""`promoter schema`."""

from promoter.cli.common import Common, verb
from promoter.cli.output import say_json


@verb
def schema(_: Common) -> None:
    """Prints the JSON Schema of the pipeline file.

    \b
    Examples:
      promoter schema > pipeline.schema.json
    """
    from promoter.schema import json_schema

    say_json(json_schema())
