"""Remarks on data: VOLUME paths of an image without a mount of the service."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from promoter.config.regular_file import read_regular
from promoter.pipeline.compose.image_volumes import unnamed_volumes
from promoter.pipeline.dockerfile import declared_volumes
from promoter.pipeline.file_text import FileText
from promoter.pipeline.model import BuiltService, ToBuild
from promoter.pipeline.resolver import Resolved

KNOWN = {
    "postgres": ("/var/lib/postgresql/data",),
    "mysql": ("/var/lib/mysql",),
    "mariadb": ("/var/lib/mysql",),
    "mongo": ("/data/db", "/data/configdb"),
    "redis": ("/data",),
    "valkey": ("/data",),
    "rabbitmq": ("/var/lib/rabbitmq",),
    "influxdb": ("/var/lib/influxdb2", "/etc/influxdb2"),
    "couchdb": ("/opt/couchdb/data",),
    "neo4j": ("/data", "/logs"),
    "cassandra": ("/var/lib/cassandra",),
    "registry": ("/var/lib/registry",),
    "zookeeper": ("/data", "/datalog", "/logs"),
}
"""Volumes of official images, by the last part of their name. `plan` asks the engine, which knows those of every image."""


def remark_volumes(text: FileText, environments: Sequence[Resolved], builds: Mapping[str, BuiltService]) -> None:
    for resolved in environments:
        for name, service in resolved.environment.services.items():
            declared = _declared(builds.get(name), text.directory)
            for path in unnamed_volumes(declared, service):
                spot, message = text.layers[name].spot, describe_unnamed(name, path)
                text.complaints.remark(spot, message, on_key=True, environment=resolved.environment.name)


def describe_unnamed(service: str, path: str) -> str:
    """Return the remark for a path whose data has no named volume."""
    return (
        f"the image of `{service}` keeps data in {path}, but no volume is mounted there: the data moves to each next container, "
        f"but its volume has no name; to name it, add `volumes: [DATA:{path}]`"
    )


def _declared(built: BuiltService | None, directory: Path) -> Sequence[str]:
    if built is None:
        return ()
    if not isinstance(built, ToBuild):
        return KNOWN.get(built.reference.repository.path.rpartition("/")[2], ())
    text = built.build.dockerfile_inline
    if text is None:
        try:
            file = directory / built.build.context / (built.build.dockerfile or "Dockerfile")
            text = read_regular(file).decode("utf-8", "replace")
        except (OSError, ValueError):  # a remote context; the builder reports a missing one
            return ()
    return declared_volumes(text)
