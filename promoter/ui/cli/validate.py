"""`promoter validate`."""

from promoter.ui.cli.console import print_json, print_text
from promoter.ui.cli.global_options import Common
from promoter.ui.cli.options import verb
from promoter.ui.cli.params import File


@verb
def validate(common: Common, file: File = None) -> None:
    """Check the pipeline file for all environments; change nothing.

    All problems are reported at once, each with file, line and column, as are ignored keys of a Compose file. Needs no
    engine and no registry.

    \b
    Examples:
      promoter validate
      promoter validate pipelines/shop/pipeline.yaml
      promoter validate --json | jq '.error.complaints'
    """
    from promoter.ui.cli.load_file import checked, print_remarks

    common = common.at(file)
    loaded = checked(common.pipeline)
    pipeline, remarks = loaded.pipeline, loaded.remarks
    environments = list(pipeline.needs)
    if not common.quiet:
        print_remarks(remarks)
    if common.json:
        documents = [{"file": one.file, "line": one.line, "column": one.column, "message": one.message} for one in remarks]
        print_json(
            {
                "valid": True,
                "pipeline": pipeline.name,
                "environments": environments,
                **({"remarks": documents} if documents else {}),
            }
        )
    elif not common.quiet:
        print_text(f"{common.pipeline} is valid: {pipeline.name}, {', '.join(environments)}")
