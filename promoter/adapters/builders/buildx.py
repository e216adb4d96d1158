"""BuildKit through the docker CLI's buildx plugin, run by itself; no docker command is needed.

Only the `default` builder is used, the engine's own BuildKit, because its image lands in the engine's store.
Attestations are off: their timestamps would make another digest of the same content.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from promoter.adapters.builders.context import context_of, dockerfile_of, is_remote, labels_of, platform_of, refuse_context
from promoter.adapters.builders.log import BuildLog, Check, attentive, never
from promoter.adapters.engine.address import Target
from promoter.adapters.registry.credentials import config_dir
from promoter.adapters.subprocess import end_session
from promoter.model.errors import BuildError
from promoter.model.secrets import names_in
from promoter.promotion.ports.builder import BuildRequest
from promoter.promotion.ports.secrets import Secrets

_TEMPORARY = "promoter-buildx-"
"""The prefix of temporary directories of builds; the process number follows."""
_NETWORKS = (None, "default", "none", "host")
_GRACE = 5.0
_NEWER = 23
_NEWER_KEYS = ("shm_size", "ulimits", "additional_contexts")
"""Keys that need engine 23 or newer."""
_OURS = ("PATH", "HOME", "TMPDIR", "LD_PRELOAD", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")
_OUR_FAMILIES = ("DOCKER_", "BUILDX_", "BUILDKIT_", "OTEL_")
_FIXED = ("--builder", "default", "--load", "--provenance=false", "--sbom=false", "--progress=plain")


class BuildxBuilder:
    """A builder that runs the plugin at `plugin` on the engine at `target`. Thread-safe."""

    name = "buildx"

    def __init__(
        self,
        plugin: Path,
        target: Target,
        check: Check = never,
        environ: Mapping[str, str] = os.environ,
        version: Callable[[], str] | None = None,
    ) -> None:
        self._plugin, self._target, self._check, self._environ, self._version = plugin, target, check, environ, version

    def refuse(self, request: BuildRequest) -> str | None:
        if request.build.network not in _NETWORKS:
            return f"buildx does not support the network {request.build.network!r}: set `build.network` to default, none or host"
        claimed = next((name for name in _secret_args(request) if _is_ours(name)), None)
        if claimed is not None:
            return f"its build argument {claimed} holds a secret, but the builder reads that name itself: rename the argument"
        return refuse_context(request) or self._refuse_old_engine(request)

    def _refuse_old_engine(self, request: BuildRequest) -> str | None:
        """Refuse what an older BuildKit ignores silently or cannot do."""
        key = next((key for key in _NEWER_KEYS if getattr(request.build, key)), None)
        if key is None or self._version is None:
            return None
        version = self._version()
        if int(version.partition(".")[0]) >= _NEWER:
            return None
        other = "" if key == "additional_contexts" else ", or `builder: engine`"
        return f"the BuildKit of engine {version} does not support `build.{key}`: use engine {_NEWER} or newer{other}"

    def build(self, request: BuildRequest, secrets: Secrets, log: Callable[[str], None]) -> None:
        build_log = BuildLog(secrets, log)
        with ExitStack() as stack:
            environment = self._environment(request, secrets, stack)
            stdin = stack.enter_context(_dockerfile(request, secrets))
            process = stack.enter_context(self._running(command(self._plugin, request), environment, stdin, request))
            assert process.stdout is not None
            for line in attentive(_whole(process.stdout), self._check):
                build_log.line(line)
            code = process.wait()
        if code != 0:
            self._check()  # a build that Ctrl-C ended is not a failed build
            raise self._failed(request.service, code, build_log)

    def _environment(self, request: BuildRequest, secrets: Secrets, stack: ExitStack) -> dict[str, str]:
        environment = {k: v for k, v in self._environ.items() if k not in ("DOCKER_CONTEXT", "BUILDX_BUILDER")}
        environment |= reach(self._target)
        environment |= {name: secrets.reveal(value) for name, value in _secret_args(request).items()}
        environment |= {_variable(index): secrets.reveal(value) for index, value in enumerate(request.build.secrets.values())}
        environment["BUILDX_GIT_INFO"] = "false"  # avoids processes whose output is not used
        sweep_temporary()
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{_TEMPORARY}{os.getpid()}-"))
        environment["TMPDIR"] = directory  # buildx never deletes an inline Dockerfile there, which contains the secrets
        if "BUILDX_CONFIG" not in environment and not _writable(config_dir()):
            environment["BUILDX_CONFIG"] = directory
        return environment

    @contextmanager
    def _running(
        self, argv: list[str], environment: dict[str, str], stdin: int, request: BuildRequest
    ) -> "Iterator[subprocess.Popen[str]]":
        """Run the child in its own session; end it with this block."""
        try:
            process = subprocess.Popen(
                argv,
                cwd=request.directory,
                env=environment,
                text=True,
                encoding="utf-8",
                errors="replace",
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise BuildError(f"{self._plugin} cannot be run: {error}", hint="install the package docker-buildx again") from error
        try:
            yield process
        finally:
            end_session(process, _GRACE)

    def _failed(self, service: str, code: int, log: BuildLog) -> BuildError:
        text = log.find("ERROR: ") or log.find("error: ") or f"buildx ended with {code}"
        why = text.removeprefix("ERROR: ")
        hint, retryable = None, False
        if "no space left on device" in why:
            hint = "free disk space on the engine's machine: `docker system df` shows the usage"
        elif "Cannot connect to the Docker daemon" in why or "failed to connect to the docker API" in why:
            hint, retryable = f"check that the engine at {self._target.address} is running and reachable from here", True
        return log.failure(service, why, hint, retryable=retryable)


def sweep_temporary() -> None:
    """Remove temporary directories of killed builds: those of this user whose process has ended."""
    for left in Path(tempfile.gettempdir()).glob(f"{_TEMPORARY}*"):
        owner = left.name.removeprefix(_TEMPORARY).partition("-")[0]
        with suppress(OSError):
            if left.lstat().st_uid == os.getuid() and not (owner.isdigit() and _is_alive(int(owner))):
                shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command(plugin: Path, request: BuildRequest) -> list[str]:
    """Return the command of the build. Values with secrets are not in it: they are passed by the environment."""
    build, secret = request.build, _secret_args(request)
    words = [str(plugin), "build", *_FIXED, "--tag", f"{request.repository}:{request.tag}"]
    for name, value in build.args.items():
        words += ["--build-arg", name if name in secret else f"{name}={value}"]
    for name, value in labels_of(request).items():
        words += ["--label", f"{name}={value}"]
    for source in build.cache_from:
        words += ["--cache-from", source]
    for host, addresses in build.extra_hosts.items():
        words += [word for address in addresses for word in ("--add-host", f"{host}:{address}")]
    options = {"--target": build.target, "--network": build.network, "--platform": platform_of(request)}
    words += [word for option, value in options.items() if value for word in (option, value)]
    words += ["--shm-size", str(build.shm_size)] if build.shm_size is not None else []
    for name, context in build.additional_contexts.items():
        words += ["--build-context", f"{name}={context}"]
    for index, name in enumerate(build.secrets):
        words += ["--secret", f"id={name},env={_variable(index)}"]
    for name, path in build.ssh.items():
        words += ["--ssh", f"{name}={path}" if path else name]
    for name, limit in build.ulimits.items():
        words += ["--ulimit", f"{name}={limit.soft}:{limit.hard}"]
    for name in (*build.entitlements, *(["security.insecure"] * build.privileged)):
        words += ["--allow", name]
    words += ["--no-cache-filter", ",".join(build.no_cache_filter)] if build.no_cache_filter else []
    words += ["--no-cache"] * build.no_cache + ["--pull"] * build.pull
    return [*words, *_file_and_context(request)]


def _file_and_context(request: BuildRequest) -> list[str]:
    context = request.build.context if is_remote(request) else str(context_of(request).resolve())
    if request.build.dockerfile_inline is not None:
        return ["--file", "-", "--", context]
    if is_remote(request):
        return [*(["--file", request.build.dockerfile] if request.build.dockerfile else []), "--", context]
    return ["--file", str(dockerfile_of(request).resolve()), "--", context]


def reach(target: Target) -> dict[str, str]:
    """Return the docker CLI's variables for an engine."""
    plain = {"DOCKER_TLS_VERIFY": "", "DOCKER_TLS": ""}
    if target.ssh is not None:
        user = f"{target.ssh.user}@" if target.ssh.user else ""
        port = f":{target.ssh.port}" if target.ssh.port else ""
        return {**plain, "DOCKER_HOST": f"ssh://{user}{target.ssh.host}{port}"}
    if target.socket is not None:
        return {**plain, "DOCKER_HOST": f"unix://{target.socket}"}
    variables = {**plain, "DOCKER_HOST": f"tcp://{target.host}"}
    if target.tls is not None:
        variables["DOCKER_TLS_VERIFY" if target.tls.verify else "DOCKER_TLS"] = "1"
        files = (target.tls.ca, target.tls.cert, target.tls.key)
        folder = next((file.parent for file in files if file is not None), None)
        variables |= {"DOCKER_CERT_PATH": str(folder)} if folder else {}
    return variables


def _variable(index: int) -> str:
    """Return the variable that passes a secret of the build to the child: the value is in no file and no argument."""
    return f"PROMOTER_BUILD_SECRET_{index}"


def _secret_args(request: BuildRequest) -> dict[str, str]:
    return {name: value for name, value in request.build.args.items() if names_in(value)}


def _is_ours(name: str) -> bool:
    return name in _OURS or name.startswith(_OUR_FAMILIES)


@contextmanager
def _dockerfile(request: BuildRequest, secrets: Secrets) -> Iterator[int]:
    """Open the child's input: the inline Dockerfile as an unnamed file, or nothing."""
    if request.build.dockerfile_inline is None:
        yield subprocess.DEVNULL
        return
    with tempfile.TemporaryFile() as file:
        file.write(secrets.reveal(request.build.dockerfile_inline).encode())
        file.seek(0)
        yield file.fileno()


def _whole(stream: IO[str]) -> Iterator[str]:
    with stream:
        yield from stream


def _writable(directory: Path) -> bool:
    there = next((folder for folder in (directory, *directory.parents) if folder.exists()), directory)
    return os.access(there, os.W_OK)
