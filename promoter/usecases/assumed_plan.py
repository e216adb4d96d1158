"""A plan for people who do not have the secrets: missing ones are taken as they were recorded last."""

from collections.abc import Mapping

from promoter.model.errors import SecretError
from promoter.model.release import Release
from promoter.promotion.admission.controller import AdmissionController
from promoter.promotion.plan import Plan
from promoter.usecases.context import Context


def plan_with_recorded_secrets(ctx: Context, controller: AdmissionController, release: Release) -> tuple[Plan, tuple[str, ...]]:
    """Return the plan, and the names of the secrets whose values are missing here. No promotion may use such a plan."""
    recorded, missing = _recorded(ctx, controller, release), list[str]()

    def real_or_recorded(name: str) -> str:
        try:
            return controller.secret_hash(name)
        except SecretError:
            missing.append(name)
            return recorded.get(name, "")

    return controller.plan_with(release, real_or_recorded), tuple(missing)


def _recorded(ctx: Context, controller: AdmissionController, release: Release) -> Mapping[str, str]:
    """Return the keyed hashes in the request of this release, or in the plan of what runs there."""
    request, current = controller.entry.request, controller.entry.current
    documents = [request.plan if request is not None and request.release == release.id else None]
    documents.append(ctx.ledger.plan_document(controller.name, current.plan_digest) if current else None)
    found = next((secrets for one in documents if one is not None and isinstance(secrets := one.get("secrets"), Mapping)), {})
    return {str(name): str(value) for name, value in found.items()}
