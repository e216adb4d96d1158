"""The build context and Dockerfile, with checks before a build."""

import os
from pathlib import Path

from promoter.config.regular_file import read_regular
from promoter.model.pattern import pattern
from promoter.promotion.ports.builder import BuildRequest

_REMOTE = pattern(r"[a-z][a-z0-9+.-]*://|git@|github\.com/")


def is_remote(request: BuildRequest) -> bool:
    """Return whether the context is an address that the builder fetches."""
    return _REMOTE.match(request.build.context) is not None


def context_of(request: BuildRequest) -> Path:
    return request.directory / request.build.context


def dockerfile_of(request: BuildRequest) -> Path:
    """Return the Dockerfile's path; an inline Dockerfile has none."""
    return context_of(request) / (request.build.dockerfile or "Dockerfile")


def dockerfile_text(request: BuildRequest) -> str:
    """Return the text, inline or from the file; invalid UTF-8 is replaced."""
    inline = request.build.dockerfile_inline
    return inline if inline is not None else read_regular(dockerfile_of(request)).decode("utf-8", "replace")


def platform_of(request: BuildRequest) -> str | None:
    return request.platform or next(iter(request.build.platforms), None)


def labels_of(request: BuildRequest) -> dict[str, str]:
    return {**request.build.labels, **request.labels}


def refuse_context(request: BuildRequest) -> str | None:
    """Return a sentence for a missing context or Dockerfile, or for several platforms; else None."""
    platforms = {request.platform, *request.build.platforms} - {None}
    if len(platforms) > 1:
        return f"build.platforms names {len(platforms)} platforms, but an engine stores one for each tag: name a single platform"
    if is_remote(request):
        return None
    context = context_of(request)
    if not context.is_dir():
        found = "is not a directory" if context.exists() else "does not exist"
        return f"its build context {context} {found}: fix `build.context`, which is relative to {request.directory}"
    if request.build.dockerfile_inline is not None:
        return None
    dockerfile = dockerfile_of(request)
    if dockerfile.is_dir():
        return f"{dockerfile} is a directory: set `build.dockerfile` to a file"
    if not dockerfile.is_file():
        return f"its Dockerfile {dockerfile} does not exist: create it, or set `build.dockerfile`"
    if not os.access(dockerfile, os.R_OK):
        return f"its Dockerfile {dockerfile} cannot be read: make it readable for this user"
    return None
