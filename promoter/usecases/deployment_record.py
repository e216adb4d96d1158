"""The deployment records of a finished run. Pure: the forge posts them."""

from collections.abc import Collection, Mapping

from promoter.model.release import Release
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.usecases.ports.platform import DeploymentRecord, ImageRecord

LONGEST = 140
"""The longest description that GitHub accepts."""
_STATES = {Status.DEPLOYED: "success", Status.FAILED: "failure", Status.ROLLED_BACK: "failure"}


def records_of(
    result: RunResult, pages: Mapping[str, str | None], built: Collection[str], run: str | None
) -> tuple[DeploymentRecord, ...]:
    """Return one record for each environment that changed. `pages` holds the URL of each.

    `built` are the services whose images are built here; other images are not recorded as artifacts of the repository.
    A release without a commit has no records.
    """
    release = result.release
    if release is None or not release.source.sha:
        return ()
    return tuple(
        DeploymentRecord(
            environment=one.name,
            commit=release.source.sha,
            state=_STATES[one.status],
            description=_description(one, release),
            release=release.id,
            plan_digest=one.plan_digest,
            digests={service: str(image.digest) for service, image in release.images.items()},
            images=_images(result.pipeline, one, release, built) if one.status is Status.DEPLOYED else (),
            log=run,
            page=pages.get(one.name),
        )
        for one in result.environments
        if one.status in _STATES
    )


def _images(pipeline: str, one: EnvironmentResult, release: Release, built: Collection[str]) -> tuple[ImageRecord, ...]:
    version = release.source.version
    return tuple(
        ImageRecord(str(image.repository), str(image.digest), version, one.name, f"{pipeline}-{one.name}-{service}")
        for service, image in sorted(release.images.items())
        if service in built
    )


def _description(one: EnvironmentResult, release: Release) -> str:
    dirty = ", with uncommitted changes" if release.source.dirty else ""
    match one.status:
        case Status.ROLLED_BACK:
            served = f"release {one.previous[:12]} serves" if one.previous else "nothing serves"
            what = f"release {release.short_id} failed and was rolled back: {served}"
        case Status.FAILED:
            what = f"release {release.short_id} failed: {'; '.join(one.reasons)}"
        case _:
            what = f"release {release.short_id} serves"
    text = "".join(sign for sign in " ".join(f"{what}{dirty}".split()) if sign.isprintable())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
