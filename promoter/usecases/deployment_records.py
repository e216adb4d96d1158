"""Post deployment records to the platform, if enabled. This never changes how a run ends."""

from collections.abc import Callable, Iterable
from functools import partial

from promoter.model.errors import PromoterError
from promoter.model.release import Release
from promoter.pipeline.model import ToBuild
from promoter.promotion import progress
from promoter.promotion.results import RunResult
from promoter.usecases.context import Context
from promoter.usecases.deployment_record import records_of


def record_deployments(ctx: Context, result: RunResult) -> RunResult:
    """Post the records and return the same result. A failure is only reported."""
    if ctx.deployments and result.release is not None:
        try:
            untold = _post(ctx, result, result.release)
        except PromoterError as error:
            untold = (error,)
        for one in {one.message: one for one in untold}.values():
            ctx.emit(progress.Notice(f"no deployment record: {one.message}" + (f"; {one.hint}" if one.hint else "")))
    return result


def _post(ctx: Context, result: RunResult, release: Release) -> tuple[PromoterError, ...]:
    """Post the records and return the errors. After a refusal, no more records of that kind are posted."""
    pages = {one.name: ctx.loaded.url(one.name, release) for one in result.environments}
    built = {name for name, how in ctx.loaded.builds(release.source).items() if isinstance(how, ToBuild)}
    records = records_of(result, pages, built, ctx.ci_run)
    if not records:
        return ()
    forge = ctx.ports.forge(None)
    images = [image for record in records for image in record.images]
    ways = [[partial(forge.record, record) for record in records], [partial(forge.record_image, image) for image in images]]
    return tuple(error for calls in ways if (error := _first_failure(calls)) is not None)


def _first_failure(calls: Iterable[Callable[[], None]]) -> PromoterError | None:
    for call in calls:
        try:
            call()
        except PromoterError as error:
            return error
    return None
