"""The list of services, from the pipeline file or its Compose files, with their environments and overrides."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from promoter.config.spec import Reading
from promoter.config.spec_errors import nearest
from promoter.config.yaml.scalars import kind_of
from promoter.model.pattern import pattern
from promoter.pipeline.compose_files import ComposeFiles
from promoter.pipeline.compose_variables import Variables
from promoter.pipeline.extends import Stack, shared_services
from promoter.pipeline.file_text import EnvironmentText, FileText
from promoter.pipeline.problems import Spot
from promoter.pipeline.service_layers import make_layer
from promoter.pipeline.sources import Origin, entries, own_origin, unknown
from promoter.pipeline.template_filler import is_map

_SERVICE = pattern(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_SHARED = ("image", "build", "platform", "extends", "profiles")
"""Keys of a service that are the same in all environments."""


def read_services(text: FileText, data: Mapping[str, Any]) -> None:
    """Set `origin` and `layers` of the text."""
    files = ComposeFiles(Variables(text.environ, text.head.name), text.complaints, text.read)
    text.origin = _origin(text, data, files)
    text.layers = shared_services(text.origin, files, text.complaints)
    for name, stack in text.layers.items():
        if not _SERVICE.fullmatch(name):
            hint = "use letters, digits and . _ -, and begin with a letter or digit"
            text.complaints.add(stack.spot, f"{name!r} is not a valid service name", hint, on_key=True)
    _read_profiles(text, data)


def _origin(text: FileText, data: Mapping[str, Any], files: ComposeFiles) -> Origin:
    own = own_origin(text.document, text.directory, text.environ)
    services, at = data.get("services"), text.spot("services")
    if not services or not isinstance(services, str | list):
        return own
    sheet = own.sheets[0]
    nothing = replace(own, sheets=(replace(sheet, parts=dict.fromkeys(sheet.parts)),))
    named = [(services, at)] if isinstance(services, str) else [(name, at / index) for index, name in enumerate(services)]
    if wrong := next(((name, spot) for name, spot in named if not isinstance(name, str)), None):
        text.complaints.add(wrong[1], f"expected a Compose file, got {kind_of(wrong[0])}", "write for example [compose.yaml]")
        return nothing
    for key in ("networks", "volumes", "configs"):
        if key in data:
            text.complaints.add(text.spot(key), f"move `{key}` to {named[0][0]}, where the services are", on_key=True)
    return (files.origin(named, text.directory) if named else None) or nothing


def _read_profiles(text: FileText, data: Mapping[str, Any]) -> None:
    """Select the services of each environment: by its own `profiles`, else the file's, else as Compose does."""
    shared = _profiles(text, data.get("profiles"), text.spot("profiles"))
    if shared is None and not text.origin.sheets[-1].own:
        written = text.origin.sheets[-1].environ.get("COMPOSE_PROFILES", "")
        shared = tuple(name.strip() for name in written.split(",") if name.strip())
    for environment in text.environments.values():
        own = _profiles(text, environment.raw.get("profiles"), environment.spot / "profiles")
        wanted = own if own is not None else shared or ()
        environment.services = tuple(name for name, stack in text.layers.items() if _is_in(stack, wanted))


def _is_in(stack: Stack, wanted: tuple[str, ...]) -> bool:
    return not stack.profiles or "*" in wanted or bool(set(stack.profiles) & set(wanted))


def _profiles(text: FileText, written: object, spot: Spot) -> tuple[str, ...] | None:
    if written is None:
        return None
    names = [written] if isinstance(written, str) else written
    if not isinstance(names, list):
        text.complaints.add(spot, f"expected a list of profiles, got {kind_of(written)}", "write for example [debug]")
        return ()
    known = tuple(dict.fromkeys(name for stack in text.layers.values() for name in stack.profiles))
    for index, name in enumerate(names):
        if name != "*" and name not in known:
            entry = spot / index if isinstance(written, list) else spot
            hint = nearest(str(name), known, "known profiles")
            text.complaints.add(entry, f"unknown profile {name}: no service has it", hint)
    return tuple(str(name) for name in names)


def left_out(text: FileText, environment: EnvironmentText, name: str, known: tuple[str, ...]) -> tuple[str, str | None]:
    """Return the message and hint for a reference to a service that does not run in an environment."""
    if name not in text.layers:
        return unknown(name, "service", known)
    profiles = ", ".join(text.layers[name].profiles)
    return f"service `{name}` is left out in {environment.name} by its profiles: {profiles}", "add one of them to `profiles`"


def read_overrides(text: FileText) -> None:
    context = Reading(text.directory, text.environ)
    for environment in text.environments.values():
        at = environment.spot / "services"
        layers = {}
        for name, value, spot in entries(environment.raw.get("services"), at, text.complaints):
            if name not in text.layers:
                message, hint = unknown(name, "service", tuple(text.layers))
                text.complaints.add(spot, message, hint, on_key=True)
            elif is_map(value, spot, text.complaints, f"service `{name}`"):
                layers[name] = make_layer(value, spot, context, text.complaints)
                for key in _SHARED:
                    if key in value:
                        text.complaints.add(spot / key, *_why_shared(key), on_key=True)
        environment.layers = layers


def _why_shared(key: str) -> tuple[str, str]:
    if key == "profiles":
        return "`profiles` of a service cannot differ by environment", "set them in `profiles` of the environment"
    if key == "extends":
        return "an override cannot extend another service", "write it in the shared service"
    return f"`{key}` cannot differ by environment: one release has one image for all of them", "write it in the shared service"
