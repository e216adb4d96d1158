"""Checks before a promotion changes anything: names are free or ours, secrets exist, networks and volumes exist."""

from collections.abc import Sequence

from promoter.model.labels import once_name
from promoter.model.ownership import owner_labels
from promoter.model.verdict import ReasonCode
from promoter.promotion.execution.failure import StepFailure
from promoter.promotion.execution.ownership import refuse_foreign
from promoter.promotion.execution.provisioning import provide
from promoter.promotion.execution.steps import StepContext
from promoter.promotion.execution.steps.context import PromotionContext
from promoter.promotion.plan import needed_secrets
from promoter.promotion.steps import Before


def prepare(ctx: StepContext) -> None:
    """Prepare the engine. Raise StartError for a name of another owner, StepFailure for a secret that has changed."""
    ctx.guard()
    job = ctx.job
    names = {
        name: owner_labels(job.namespace, service)
        for service in ctx.environment.services
        for slot in job.slots(service)
        for name in slot.names
    }
    before = {step.id: once_name(job.namespace, step.index) for step in job.plan.steps if isinstance(step, Before)}
    names |= dict.fromkeys(before.values(), owner_labels(job.namespace))
    refusal = refuse_foreign(names, ctx.engine.labels_by_name())
    if refusal is not None:
        raise refusal
    _prove_secrets(ctx)
    ctx.sweep({name for step, name in before.items() if job.resumed and step not in job.done})
    provide(ctx.engine, ctx.environment, job.namespace)


def _prove_secrets(ctx: StepContext) -> None:
    """Check the secrets. A recorded plan needs them only for containers that must be created, and with the recorded values."""
    plan = ctx.job.plan
    if plan.recorded is None:
        return
    kept = {container.id for container in ctx.engine.find(ctx.job.namespace.labels)}
    created = [
        service
        for service, known in ctx.job.reuse.items()
        if len(kept & (known.live | known.earlier)) < len(ctx.job.slots(service))
    ]
    require_recorded_secrets(ctx, needed_secrets(plan.environment, created))


def require_recorded_secrets(ctx: PromotionContext, names: Sequence[str]) -> None:
    """Raise SecretError for a missing secret, StepFailure for one with another value than the recorded plan had."""
    plan = ctx.job.plan
    ctx.ports.secrets.prove(names)
    salt = ctx.ledger.state.salt or ""
    changed = [name for name in names if ctx.ports.secrets.keyed_hash(name, salt) != plan.secrets.get(name)]
    if changed:
        reason = f"secret {', '.join(changed)} has changed since release {plan.release.short_id} was promoted with it"
        raise StepFailure(ReasonCode.START_FAILED, (reason, "promote the release again: the gates then see the new secret"))
