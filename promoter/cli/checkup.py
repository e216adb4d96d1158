"""What `promoter doctor` looks at: each part of this machine that promoter leans on, one finding each.

A finding that is missing says how to mend it. Only what no promotion can do without is essential.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from promoter.adapters.pipeline_file.load import LoadedPipeline
from promoter.cli.checked import checked, source_of
from promoter.cli.common import Common
from promoter.model.errors import PromoterError
from promoter.pipeline import Environment

ENOUGH_DISK = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    part: str
    ok: bool
    essential: bool
    detail: str
    remedy: str | None = None

    def document(self) -> dict[str, object]:
        told = {"part": self.part, "ok": self.ok, "essential": self.essential, "detail": self.detail, "remedy": self.remedy}
        return dict(told)


def checkup(common: Common) -> Iterator[Finding]:
    """All findings, each as soon as it is known."""
    file = common.pipeline
    loaded = None
    if not file.exists():
        yield Finding("pipeline file", False, False, f"there is no {file}", "promoter init writes one; -f names another")
    else:
        found, loaded = _pipeline(file)
        yield found
    for address in _engines(loaded):
        yield _try(f"engine {address}" if address else "engine", True, lambda a=address: _engine(a))  # type: ignore[misc]
    yield _buildx()
    for host in _registries(loaded):
        yield _try(f"registry {host}", True, lambda h=host: _registry(file.parent, h))  # type: ignore[misc]
    yield _program("git", ("git", "--version"), "without it a release does not say what it was built from: install git")
    yield _program("ssh-keygen", ("ssh-keygen", "-?"), "signed approvals need it: install openssh-client")
    yield from _evidence(loaded)
    yield _disk(file.parent)
    yield _try("ledger", True, lambda: _ledger(common, loaded))


def _try(part: str, essential: bool, look: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, essential, look())
    except PromoterError as error:
        return Finding(part, False, essential, error.message, error.hint)


def _pipeline(file: Path) -> tuple[Finding, LoadedPipeline | None]:
    try:
        loaded = checked(file)
    except PromoterError as error:
        return Finding("pipeline file", False, True, error.message, error.hint or f"promoter validate {file}"), None
    return Finding("pipeline file", True, True, f"{file}: {loaded.pipeline.name}"), loaded


def _engines(loaded: LoadedPipeline | None) -> tuple[str | None, ...]:
    """Every engine that the pipeline names, and the local one where something is built or nothing is named."""
    if loaded is None:
        return (None,)
    named = [address for environment in _environments(loaded) for address in environment.engines]
    return tuple(dict.fromkeys([*([None] if _registries(loaded) else []), *named]))


def _environments(loaded: LoadedPipeline) -> tuple[Environment, ...]:
    source = source_of(loaded.pipeline.file)
    return tuple(loaded.resolve(name, source, None) for name in loaded.pipeline.needs)


def _registries(loaded: LoadedPipeline | None) -> tuple[str, ...]:
    """Every registry that something is pushed to."""
    if loaded is None:
        return ()
    wanted = loaded.builds(source_of(loaded.pipeline.file)).values()
    return tuple(sorted({built.repository.host for built in wanted if hasattr(built, "repository")}))


def _engine(address: str | None) -> str:
    from promoter.adapters.engine.connect import open_engine

    engine = open_engine(address)
    try:
        identity = engine.identify()
    finally:
        engine.close()
    return f"Docker Engine {identity.version} on {identity.name}, {engine.address}"


def _registry(directory: Path, host: str) -> str:
    from promoter.adapters.credentials import Credentials
    from promoter.adapters.registry.client import HttpRegistry
    from promoter.settings import load_settings

    credentials = Credentials()
    login = credentials.for_host(host)
    registry = HttpRegistry(credentials, insecure=frozenset(load_settings(directory).insecure_registries))
    try:
        registry.ping(host)
    finally:
        registry.close()
    return f"answers, {'with credentials' if login else 'without credentials'}"


def _buildx() -> Finding:
    from promoter.adapters.build.choose import SYSTEM, find_plugin

    plugin = find_plugin(SYSTEM)
    if plugin:
        return Finding("buildx", True, False, str(plugin))
    remedy = "install docker-buildx to build Dockerfiles that need BuildKit"
    return Finding("buildx", False, False, "not installed: the engine's own builder is used", remedy)


def _program(name: str, argv: tuple[str, ...], remedy: str) -> Finding:
    place = shutil.which(name)
    if place is None:
        return Finding(name, False, False, "not on PATH", remedy)
    said = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout.strip()
    return Finding(name, True, False, said.splitlines()[0] if said else place)


def _evidence(loaded: LoadedPipeline | None) -> Iterator[Finding]:
    """The programs that the file's scans and signatures need, each once."""
    from promoter.gates.scan import ScanCheck
    from promoter.gates.signature import SignatureCheck

    wanted: dict[tuple[str, ...], str] = {}
    environments = _environments(loaded) if loaded else ()
    for place in environments:
        for check in (*place.gates, *place.before, *place.verify):
            if isinstance(check, (ScanCheck, SignatureCheck)):
                programs = tuple(map(str, check.scanners)) if isinstance(check, ScanCheck) else ("cosign",)
                wanted.setdefault(programs, f"{check.title()} in {place.name}")
    for programs, check_title in wanted.items():
        here = next((found for program in programs if (found := shutil.which(program))), None)
        names = " or ".join(programs)
        remedy = None if here else f"install {names} wherever promotions run; without it these checks never pass"
        yield Finding(names, here is not None, False, here or f"not on PATH, and needed by: {check_title}", remedy)


def _disk(directory: Path) -> Finding:
    free = shutil.disk_usage(_existing(directory)).free
    detail = f"{free / 1e9:.1f} GB free here"
    return Finding("disk", free >= ENOUGH_DISK, True, detail, None if free >= ENOUGH_DISK else "make room: docker system prune")


def _ledger(common: Common, loaded: LoadedPipeline | None) -> str:
    from promoter.adapters.ledger.open import open_ledger
    from promoter.model.errors import LedgerError
    from promoter.settings import load_settings

    directory = common.pipeline.parent
    url = load_settings(directory).over(ledger=common.ledger).ledger or (loaded.pipeline.ledger if loaded else None)
    ledger = open_ledger(url, directory, loaded.pipeline.name if loaded else "")
    try:
        next(iter(ledger.read()), None)
    finally:
        ledger.close()
    if not ledger.location.startswith("sqlite:"):
        return f"{ledger.location} answers"
    room = _existing(Path(ledger.location.removeprefix("sqlite:")).parent)
    try:
        with tempfile.TemporaryFile(dir=room):
            return f"{ledger.location} can be written"
    except OSError as error:
        raise LedgerError(
            f"{room} cannot be written: {error.strerror}", hint="name another place with --ledger sqlite:PATH"
        ) from error


def _existing(directory: Path) -> Path:
    """The nearest part of the path that is there; where it is no directory, nothing can be written below it."""
    here = Path(os.path.abspath(directory))  # noqa: PTH100 -- links stay as they are
    return next(place for place in (here, *here.parents) if place.exists())
