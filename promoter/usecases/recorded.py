"""The plan of a deployment, as the ledger recorded it."""

from promoter.ledger.deployment import Deployment
from promoter.model.errors import CallerError
from promoter.pipeline.model import LocalFile
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.plan import Plan
from promoter.promotion.recorded_plan import recorded_plan
from promoter.usecases.context import Context

NOT_RECORDED = "the ledger does not contain the plan with which release {0} was promoted to {1}"
FORWARD = "run `promoter rollback {0} --current-config` to use the configuration of the file; its gates must be open"


def recorded_plan_of(ctx: Context, environment: str, deployment: Deployment) -> Plan:
    """Return the recorded plan. Raise CallerError if it is missing, or if files of the pipeline have changed since."""
    plan = read_plan(ctx, environment, deployment)
    release = plan.release
    changed = [f.path for f in plan.environment.files if f.digest and _digest_now(ctx, plan, f) != f.digest]
    if changed:
        raise CallerError(
            f"{', '.join(changed)} has changed since release {release.short_id} ran in {environment}",
            hint=f"check out the earlier files ({release.source.short_sha or 'that release'}), or: "
            + FORWARD.format(environment),
        )
    return plan


def read_plan(ctx: Context, environment: str, deployment: Deployment) -> Plan:
    """Return the recorded plan, whatever the files of the pipeline contain now. Raise CallerError if it is missing."""
    release = ctx.ledger.state.releases[deployment.release].release
    document = ctx.ledger.plan_document(environment, deployment.plan_digest)
    if document is None:
        raise CallerError(NOT_RECORDED.format(release.short_id, environment), hint=FORWARD.format(environment))
    base = ctx.loaded.resolve(environment, release.source, release.id)
    return recorded_plan(document, base, release, ctx.pipeline.directory, steps_of)


def _digest_now(ctx: Context, plan: Plan, file: LocalFile) -> str | None:
    mounts = (mount for service in plan.environment.services.values() for mount in service.volumes)
    read_only = any(mount.source == file.source and mount.read_only for mount in mounts)
    return ctx.loaded.file_digest(file.path, read_only=read_only)
