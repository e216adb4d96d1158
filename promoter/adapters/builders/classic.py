"""The engine's own (classic) builder, through the Docker SDK, used if buildx is not installed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any

from promoter.adapters.builders.buildkit_features import needs_buildkit
from promoter.adapters.builders.context import (
    context_of,
    dockerfile_of,
    dockerfile_text,
    is_remote,
    labels_of,
    platform_of,
    refuse_context,
)
from promoter.adapters.builders.log import BuildLog, Check, attentive, never
from promoter.adapters.engine.connection import Login as AnyLogin
from promoter.adapters.engine.image_build import Building, BuildOptions, context_tar
from promoter.adapters.registry.credentials import HUB_KEY, Login
from promoter.model.errors import BuildError
from promoter.model.images import DOCKER_HUB, BadReference, Reference
from promoter.pipeline.dockerfile import base_images
from promoter.promotion.ports.builder import BuildRequest
from promoter.promotion.ports.secrets import Secrets

INSTALL = "install the docker-buildx plugin (package docker-buildx of Debian, docker-buildx-plugin of Docker's own repository)"
_BUILDKIT_KEYS = ("additional_contexts", "secrets", "ssh", "entitlements", "privileged", "no_cache_filter")
Logins = Callable[[str], AnyLogin | None]


def anonymous(_host: str) -> Login | None:
    """Return no login for any registry."""
    return None


class EngineBuilder:
    """A builder that uses the engine itself. Thread-safe."""

    name = "engine"

    def __init__(self, engine: Building, logins: Logins = anonymous, check: Check = never) -> None:
        self._engine, self._logins, self._check = engine, logins, check

    def refuse(self, request: BuildRequest) -> str | None:
        if is_remote(request):
            return (
                f"its build context {request.build.context} needs BuildKit, which fetches it: {INSTALL}, or use a local directory"
            )
        why = refuse_context(request)
        if why is not None:
            return why
        if key := next((key for key in _BUILDKIT_KEYS if getattr(request.build, key)), None):
            return f"its `build.{key}` needs BuildKit, and buildx is not installed: {INSTALL}"
        need = needs_buildkit(dockerfile_text(request), request.build.args)
        if need is None:
            return None
        inline = request.build.dockerfile_inline is not None
        where = "its inline Dockerfile" if inline else str(dockerfile_of(request))
        return f"line {need.line} of {where} has {need.feature}, which needs BuildKit, and buildx is not installed: {INSTALL}"

    def build(self, request: BuildRequest, secrets: Secrets, log: Callable[[str], None]) -> None:
        build_log = BuildLog(secrets, log)
        inline = request.build.dockerfile_inline
        options = self._options(request, secrets)
        context = context_tar(context_of(request), request.build.dockerfile, None if inline is None else secrets.reveal(inline))
        try:
            with closing(context.tar):
                for line in attentive(_lines(self._engine.build_stream(context, options)), self._check):
                    build_log.line(line)
        except BuildError as error:
            self._check()
            why = error.message.removeprefix(f"{options.tag} could not be built: ")
            failed = build_log.failure(request.service, why, error.hint, retryable=error.retryable)
            failed.lost = error.lost
            raise failed from error

    def _options(self, request: BuildRequest, secrets: Secrets) -> BuildOptions:
        build = request.build
        args = {name: secrets.reveal(value) for name, value in build.args.items()}
        return BuildOptions(
            tag=f"{request.repository}:{request.tag}",
            args=args,
            labels=labels_of(request),
            target=build.target,
            cache_from=build.cache_from,
            network=build.network,
            shm_size=build.shm_size,
            ulimits=[{"Name": name, "Soft": one.soft, "Hard": one.hard} for name, one in build.ulimits.items()],
            extra_hosts=build.extra_hosts,
            platform=platform_of(request),
            no_cache=build.no_cache,
            pull=build.pull,
            registry_auths=self._auths(base_images(dockerfile_text(request), args)),
        )

    def _auths(self, images: tuple[str, ...]) -> dict[str, dict[str, str]]:
        """Return logins for the registries of the base images, and no others."""
        hosts = dict.fromkeys(host for image in images if (host := _host(image)) is not None)
        logins = {host: self._logins(host) for host in hosts}
        return {HUB_KEY if host == DOCKER_HUB else host: _auth(login) for host, login in logins.items() if login is not None}


def _host(image: str) -> str | None:
    try:
        return Reference.parse(image).repository.host
    except BadReference:  # the builder reports it, with its line
        return None


def _auth(login: AnyLogin) -> dict[str, str]:
    if login.identity_token is not None:
        return {"identitytoken": login.identity_token}
    return {"username": login.username, "password": login.password}


def _lines(stream: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Return the log as text: the builder's lines, and only the milestones of base image pulls."""
    rest = ""
    for entry in stream:
        rest += str(entry.get("stream") or "")
        *whole, rest = rest.split("\n")
        yield from (line for line in whole if line.strip())
        if entry.get("status") and not entry.get("progressDetail"):
            layer = f"{entry['id']}: " if entry.get("id") else ""
            yield f"{layer}{entry['status']}"
    if rest.strip():
        yield rest
