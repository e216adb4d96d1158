"""`promoter validate`."""

from promoter.cli.common import Common, verb
from promoter.cli.output import say, say_json
from promoter.cli.run import File


@verb
def validate(common: Common, file: File = None) -> None:
    """Checks the pipeline file, all environments; touches nothing.

    Every complaint names its place, and all come at once. No engine and no registry is asked.

    \b
    Examples:
      promoter validate
      promoter validate pipelines/shop/pipeline.yaml
      promoter validate --json | jq '.error.complaints'
    """
    from promoter.cli.checked import checked

    common = common.at(file)
    pipeline = checked(common.pipeline).pipeline
    environments = list(pipeline.needs)
    if common.json:
        say_json({"valid": True, "pipeline": pipeline.name, "environments": environments})
    elif not common.quiet:
        say(f"{common.pipeline} is good: {pipeline.name}, {', '.join(environments)}")
