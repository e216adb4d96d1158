"""Build, push, and record the release."""

from promoter.model.release import Source
from promoter.promotion import progress
from promoter.promotion.build import Made, make_release
from promoter.promotion.results import RunResult
from promoter.usecases.context import Context, record_release
from promoter.usecases.preflight import preflight


def build(ctx: Context) -> RunResult:
    """Build and push only. The release is recorded and not promoted."""
    source = ctx.ports.source.source(ctx.pipeline.directory)
    preflight(ctx, (), source, None)
    made = make(ctx, source)
    return RunResult(ctx.name, made.release, ())


def make(ctx: Context, source: Source) -> Made:
    engine = ctx.ports.engine(None)
    made = make_release(ctx.ports, engine, ctx.loaded.builds(source), source, ctx.pipeline.directory, ctx.name, ctx.emit)
    known = record_release(ctx, made)
    ctx.emit(progress.ReleaseMade(made.release, known))
    return made
