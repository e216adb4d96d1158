"""`promoter validate`."""

from promoter.ui.cli.console import say, say_json
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import File


@verb
def validate(common: Common, file: File = None) -> None:
    """Checks the pipeline file, all environments; touches nothing.

    Every complaint names its place, and all come at once; so does what is left out of a Compose file. No engine and no
    registry is asked.

    \b
    Examples:
      promoter validate
      promoter validate pipelines/shop/pipeline.yaml
      promoter validate --json | jq '.error.complaints'
    """
    from promoter.ui.cli.load_file import checked, say_remarks

    common = common.at(file)
    loaded = checked(common.pipeline)
    pipeline, remarks = loaded.pipeline, loaded.remarks
    environments = list(pipeline.needs)
    if not common.quiet:
        say_remarks(remarks)
    if common.json:
        told = [{"file": one.file, "line": one.line, "column": one.column, "message": one.message} for one in remarks]
        say_json({"valid": True, "pipeline": pipeline.name, "environments": environments, **({"remarks": told} if told else {})})
    elif not common.quiet:
        say(f"{common.pipeline} is good: {pipeline.name}, {', '.join(environments)}")
