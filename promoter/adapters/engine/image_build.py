"""The engine's own builder: the context is uploaded as a tar, and the log is returned as a stream."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from docker.auth import encode_header
from docker.utils.build import create_archive, exclude_paths

from promoter.adapters.engine import streams
from promoter.adapters.engine.client import CONNECT
from promoter.adapters.engine.connection import Link
from promoter.config.regular_file import read_regular
from promoter.model.dataclass import dataclass
from promoter.model.errors import BuildError

_INLINE = ".dockerfile.promoter"
_OWN = ("**/.promoter/ledger.db*", "**/.promoter/projection-*", "**/.promoter/witness.json*")
_SILENCE = 3600.0


@dataclass(frozen=True)
class Context:
    """A context as a tar, and the name of the Dockerfile in it. Close `tar` when the build is done."""

    tar: IO[bytes]
    dockerfile: str


@dataclass(frozen=True)
class BuildOptions:
    """The options of `POST /build`. `registry_auths` maps hosts to auth configurations."""

    tag: str
    args: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    cache_from: Sequence[str] = ()
    network: str | None = None
    shm_size: int | None = None
    ulimits: Sequence[Mapping[str, str | int]] = ()
    extra_hosts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    platform: str | None = None
    no_cache: bool = False
    pull: bool = False
    registry_auths: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Building(Link):
    """The engine's builder; not part of the Engine port."""

    def build_stream(self, context: Context, options: BuildOptions) -> streams.Lines:
        """Yield each line of the stream, decoded. Raise BuildError for an error in it. Closing the generator stops the build."""
        what = f"{options.tag} could not be built"
        headers = {
            "Content-Type": "application/x-tar",
            "X-Registry-Config": encode_header({host: dict(auth) for host, auth in options.registry_auths.items()}).decode(),
        }
        parameters = _parameters(context.dockerfile, options)
        return streams.read(
            lambda: self.ask(
                what,
                "POST",
                "/build",
                kind=BuildError,
                params=parameters,
                headers=headers,
                data=context.tar,
                stream=True,
                timeout=(CONNECT, _SILENCE),
            ),
            what,
            BuildError,
            self._check,
        )


def _parameters(dockerfile: str, options: BuildOptions) -> dict[str, str | list[str]]:
    parameters: dict[str, str | list[str] | None] = {
        "t": options.tag,
        "dockerfile": dockerfile,
        "rm": "1",
        "forcerm": "1",
        "buildargs": json.dumps(dict(options.args)) if options.args else None,
        "labels": json.dumps(dict(options.labels)) if options.labels else None,
        "target": options.target,
        "cachefrom": json.dumps(list(options.cache_from)) if options.cache_from else None,
        "networkmode": options.network,
        "ulimits": json.dumps(list(options.ulimits)) if options.ulimits else None,
        "shmsize": str(options.shm_size) if options.shm_size is not None else None,
        "extrahosts": [f"{host}:{address}" for host, addresses in options.extra_hosts.items() for address in addresses] or None,
        "platform": options.platform,
        "nocache": "1" if options.no_cache else None,
        "pull": "1" if options.pull else None,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def context_tar(directory: Path, dockerfile: str | None = None, inline: str | None = None) -> Context:
    """Return the files of `directory` as a tar, without those that its .dockerignore names and promoter's own records.

    The records change while they are read, and with them each build would be another one.

    `inline` is the text of a Dockerfile that is not a file. `dockerfile` is relative to `directory` and may be outside of
    it. As with BuildKit, `<Dockerfile>.dockerignore` wins over `.dockerignore`. Raise BuildError if a file cannot be read.
    """
    try:
        name, extra = _dockerfile(directory, dockerfile, inline)
        patterns = [*_ignored(directory, dockerfile if inline is None else None), *_OWN]
        files = sorted(exclude_paths(str(directory), patterns, dockerfile=name))
        with ExitStack() as unless_complete:
            tar = unless_complete.enter_context(TemporaryFile())
            create_archive(str(directory), files=files, fileobj=tar, extra_files=extra)
            unless_complete.pop_all()  # the caller closes it
    except OSError as error:
        raise BuildError(
            f"the build context {directory} cannot be read: {error}", hint="make it readable, or exclude it in .dockerignore"
        ) from error
    return Context(tar, name)


def _dockerfile(directory: Path, dockerfile: str | None, inline: str | None) -> tuple[str, list[tuple[str, str]]]:
    """Return the name of the Dockerfile in the context, and the files (name, text) to add to the context for it."""
    if inline is not None:
        return _INLINE, [(_INLINE, inline)]
    file = directory / (dockerfile or "Dockerfile")
    if not file.is_file():
        raise BuildError(f"there is no {file}", hint="create it, or name another with `dockerfile:`")
    inside = file.resolve()
    if inside.is_relative_to(directory.resolve()):
        return inside.relative_to(directory.resolve()).as_posix(), []
    return _INLINE, [(_INLINE, _text(file))]


def _ignored(directory: Path, dockerfile: str | None) -> list[str]:
    own = directory / f"{dockerfile or 'Dockerfile'}.dockerignore"
    file = own if own.is_file() else directory / ".dockerignore"
    if not file.is_file():
        return []
    lines = (line.strip() for line in _text(file).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _text(file: Path) -> str:
    return read_regular(file).decode("utf-8-sig", "replace")
