"""Volumes that an image declares and the service does not mount."""

from collections.abc import Iterable

from promoter.pipeline.compose.service import Service


def unnamed_volumes(declared: Iterable[str], service: Service) -> tuple[str, ...]:
    """Return the VOLUME paths of an image at which the service mounts nothing."""
    mounted = {mount.target.rstrip("/") for mount in service.volumes if mount.source is not None or mount.type == "tmpfs"}
    mounted |= {entry.partition(":")[0].rstrip("/") for entry in service.tmpfs}
    return tuple(path for path in declared if path.rstrip("/") not in mounted)
