"""Select the builder: the configured one, else buildx if it is installed, else the engine's own."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from promoter.adapters.builders.buildx import BuildxBuilder
from promoter.adapters.builders.classic import INSTALL, EngineBuilder, Logins, anonymous
from promoter.adapters.builders.log import Check, never
from promoter.adapters.engine.address import resolve
from promoter.adapters.engine.image_build import Building
from promoter.adapters.registry.credentials import config_dir
from promoter.model.errors import CallerError
from promoter.promotion.ports.builder import Builder
from promoter.promotion.ports.engine import Engine

PLUGIN = "docker-buildx"
SYSTEM = tuple(
    Path(directory) / "docker/cli-plugins" for directory in ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
)


def choose_builder(
    choice: str,
    engine: Engine,
    *,
    logins: Logins = anonymous,
    check: Check = never,
    environ: Mapping[str, str] = os.environ,
) -> Builder:
    """Return the builder. `choice` is auto, engine or buildx. Raise CallerError if it is unknown or not installed.

    `check` raises Interrupted when a build must end.
    """
    plugin = find_plugin(SYSTEM) if choice != "engine" else None
    if plugin is not None:
        return BuildxBuilder(plugin, resolve(engine.address, environ), check, environ, lambda: engine.identify().version)
    if choice == "buildx":
        searched = ", ".join(str(folder) for folder in _folders(SYSTEM))
        raise CallerError(
            f"`builder: buildx` is configured, but {PLUGIN} is in none of {searched}", hint=f"{INSTALL}, or remove `builder`"
        )
    if not isinstance(engine, Building):
        raise CallerError(f"the engine at {engine.address} has no builder", hint=INSTALL)
    return EngineBuilder(engine, logins, check)


def find_plugin(system: tuple[Path, ...]) -> Path | None:
    """Find the buildx plugin in the docker CLI's directories, in its order."""
    return next(
        (plugin for folder in _folders(system) if os.access(plugin := folder / PLUGIN, os.X_OK) and plugin.is_file()), None
    )


def _folders(system: tuple[Path, ...]) -> list[Path]:
    own = config_dir()
    return list(dict.fromkeys((*_extra(own), own / "cli-plugins", Path("~/.docker/cli-plugins").expanduser(), *system)))


def _extra(own: Path) -> list[Path]:
    """Return `cliPluginsExtraDirs` of config.json. A broken file is reported later, when its credentials are needed."""
    try:
        named = json.loads((own / "config.json").read_bytes()).get("cliPluginsExtraDirs") or ()
        return [Path(str(folder)) for folder in named]
    except (OSError, ValueError, AttributeError, TypeError):
        return []
