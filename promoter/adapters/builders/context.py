"""Where a build takes its files from, and what is wrong with that before anything is done."""

import os
import re
from pathlib import Path

from promoter.config.regular_file import read_regular
from promoter.promotion.ports.builder import BuildRequest

_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com/")


def is_remote(request: BuildRequest) -> bool:
    """Whether the context is no directory here but an address that the builder fetches."""
    return _REMOTE.match(request.build.context) is not None


def context_of(request: BuildRequest) -> Path:
    return request.directory / request.build.context


def dockerfile_of(request: BuildRequest) -> Path:
    """The file; an inline Dockerfile has none."""
    return context_of(request) / (request.build.dockerfile or "Dockerfile")


def dockerfile_text(request: BuildRequest) -> str:
    """Its text, inline or from the file; bytes that are no UTF-8 are shown as such."""
    inline = request.build.dockerfile_inline
    return inline if inline is not None else read_regular(dockerfile_of(request)).decode("utf-8", "replace")


def platform_of(request: BuildRequest) -> str | None:
    return request.platform or next(iter(request.build.platforms), None)


def labels_of(request: BuildRequest) -> dict[str, str]:
    return {**request.build.labels, **request.labels}


def refuse_place(request: BuildRequest) -> str | None:
    """The sentence for a missing context or Dockerfile, and for what no engine's store can hold; or None."""
    platforms = {request.platform, *request.build.platforms} - {None}
    if len(platforms) > 1:
        return f"build.platforms names {len(platforms)} platforms, and an engine keeps one a tag: name a single platform"
    if is_remote(request):
        return None
    context = context_of(request)
    if not context.is_dir():
        found = "is not a directory" if context.exists() else "does not exist"
        return f"its build context {context} {found}: mend `build.context`, which starts from {request.directory}"
    if request.build.dockerfile_inline is not None:
        return None
    dockerfile = dockerfile_of(request)
    if dockerfile.is_dir():
        return f"{dockerfile} is a directory: let `build.dockerfile` name a file"
    if not dockerfile.is_file():
        return f"its Dockerfile {dockerfile} does not exist: write it, or name another with `build.dockerfile`"
    if not os.access(dockerfile, os.R_OK):
        return f"its Dockerfile {dockerfile} cannot be read: give yourself the right to read it"
    return None
