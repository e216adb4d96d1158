"""Other programs: git, ssh-keygen, buildx, and those that scans and signatures need."""

import shutil
import subprocess
from collections.abc import Iterator

from promoter.adapters.builders.select import SYSTEM, find_plugin
from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.gates.scan import ScanCheck
from promoter.gates.signature import SignatureCheck
from promoter.pipeline.model import BuilderChoice

_SECONDS = 5.0


def buildx(subject: Subject) -> Iterator[Finding]:
    """Check buildx; essential only if the file or the settings require it."""
    plugin = find_plugin(SYSTEM)
    choice = subject.settings.builder or (subject.loaded.pipeline.builder if subject.loaded else BuilderChoice.AUTO)
    wanted = choice is BuilderChoice.BUILDX
    if plugin:
        yield Finding("buildx", True, wanted, f"{plugin}{_version(str(plugin))}")
        return
    remedy = "install docker-buildx to build Dockerfiles that need BuildKit"
    effect = "`builder: buildx` needs it" if wanted else "the engine's own builder is used"
    yield Finding("buildx", False, wanted, f"not installed: {effect}", remedy)


def git(_: Subject) -> Iterator[Finding]:
    yield _program("git", ("git", "--version"), "install git: without it a release does not record its source")


def keygen(_: Subject) -> Iterator[Finding]:
    yield _program("ssh-keygen", ("ssh-keygen", "-?"), "install openssh-client: signed approvals need it")


def evidence(subject: Subject) -> Iterator[Finding]:
    """Check the programs that the file's scans and signatures need, each once."""
    wanted: dict[tuple[str, ...], str] = {}
    for environment in subject.environments:
        for check in (*environment.gates, *environment.before, *environment.verify):
            if isinstance(check, (ScanCheck, SignatureCheck)):
                programs = tuple(map(str, check.scanners)) if isinstance(check, ScanCheck) else ("cosign",)
                wanted.setdefault(programs, f"{check.title()} in {environment.name}")
    for programs, check_title in wanted.items():
        path = next((found for program in programs if (found := shutil.which(program))), None)
        names = " or ".join(programs)
        remedy = None if path else f"install {names} on every machine that promotes; without it these checks never pass"
        yield Finding(names, path is not None, False, path or f"not on PATH, and needed by: {check_title}", remedy)


def _program(name: str, argv: tuple[str, ...], remedy: str) -> Finding:
    path = shutil.which(name)
    if path is None:
        return Finding(name, False, False, "not on PATH", remedy)
    return Finding(name, True, False, _first_line(argv) or path)


def _version(plugin: str) -> str:
    words = _first_line((plugin, "version")).split()
    return f", {words[1]}" if len(words) > 1 else ""


def _first_line(argv: tuple[str, ...]) -> str:
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return next(iter(done.stdout.strip().splitlines()), "")
