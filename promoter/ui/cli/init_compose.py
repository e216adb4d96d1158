"""A Compose file for `promoter init`: copied into the pipeline file, or referenced when it needs other files."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promoter.config.yaml.positions import Document
from promoter.model.errors import CallerError, InvalidFile
from promoter.pipeline.scaffold.compose_reference import from_services, named
from promoter.pipeline.scaffold.importer import PipelineDraft, from_compose
from promoter.pipeline.scaffold.variables import Malformed

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""The names that Compose looks for, in this order."""
PROJECT = "COMPOSE_PROJECT_NAME"
_OVERRIDES = ("compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml")


def compose_draft(source: Path, documents: tuple[Document, ...], requested: str | None, directory: str) -> PipelineDraft:
    """Write a first pipeline for the Compose file at `source`.

    Raise CallerError for a file without services, InvalidFile for variables that Compose refuses.
    """
    document, *later = documents
    data = document.data
    assert isinstance(data, dict)
    if not isinstance(data.get("services"), dict) and not data.get("include"):
        raise CallerError(f"{source} has no services", hint="write a mapping `services` at the top level of the file")
    parent = source.absolute().parent
    more = [name for name in _OVERRIDES if source.name in NAMES and (parent / name).is_file()][:1]
    why = "it has several documents, which are merged" if later else _why_staying(data, parent, more)
    if why:
        from promoter.pipeline.loader import compose_services

        project = data.get("name")
        name = named(project if isinstance(project, str) and "$" not in project else None, directory, requested)
        files = (source.name, *more)
        services, built = compose_services(parent, files, os.environ, name)
        return from_services(services, files, built, name, why, parent)
    try:
        return from_compose(data, directory, named=requested is not None)
    except Malformed as error:
        at = document.position(error.path)
        raise InvalidFile((document.complaint(at, error.message, error.hint),)) from error


def _why_staying(data: Mapping[str, Any], directory: Path, more: list[str]) -> str | None:
    """Return why the services cannot be copied without a change of meaning."""
    if more:
        return f"Compose merges {more[0]} over the other, and so does promoter"
    if data.get("include"):
        return "it includes other files"
    services = data.get("services")
    extended = [s.get("extends") for s in services.values() if isinstance(s, dict)] if isinstance(services, dict) else []
    if any(isinstance(one, dict) and one.get("file") for one in extended):
        return "its services extend those of other files"
    if PROJECT in json.dumps(services, default=str):
        return f"{PROJECT} differs in each environment"
    if (directory / ".env").is_file():
        return "it uses variables from .env, whose values may be secret and are not copied"
    return None
