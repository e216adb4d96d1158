"""Run all diagnostics in parallel, with a time limit, and report them in a fixed order."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import partial
from pathlib import Path

from promoter.adapters.diagnostics import (
    ci,
    clocks,
    disks,
    engines,
    environments,
    keys,
    ledgers,
    programs,
    registries,
    ssh,
    swarms,
)
from promoter.adapters.diagnostics.finding import Finding
from promoter.adapters.diagnostics.subject import Subject
from promoter.adapters.git.source import GitSource
from promoter.adapters.settings import Settings, load_settings
from promoter.model.dataclass import dataclass
from promoter.model.errors import PromoterError
from promoter.model.release import Source
from promoter.pipeline.loader import LoadedPipeline, validate

TIMEOUT = 10.0
"""Seconds for each part, from the start of all. A later answer would be too slow for a run as well."""


@dataclass
class _Part:
    """A running check. `found` is complete once `done` is set."""

    name: str
    essential: bool
    check: Callable[[], Iterable[Finding]]
    found: list[Finding] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        threading.Thread(target=self._run, daemon=True, name=self.name).start()

    def _run(self) -> None:
        try:
            self.found = list(self.check())
        except PromoterError as error:
            self.found = [Finding(self.name, False, self.essential, error.message, error.hint)]
        except Exception as error:  # noqa: BLE001 -- an error in one check must not hide the other findings
            detail = f"could not be checked: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            self.found = [Finding(self.name, False, self.essential, detail, "please report this; the other findings are valid")]
        self.done.set()

    def findings(self, timeout: float) -> list[Finding]:
        if self.done.wait(timeout):
            return self.found
        detail = f"no answer within {TIMEOUT:.0f} s"
        return [Finding(self.name, False, self.essential, detail, "check the network to it, and the server itself")]


def rounds(
    file: Path, *, ledger: str | None, actor: str | None, environ: Mapping[str, str] = os.environ, timeout: float = TIMEOUT
) -> Iterator[Finding]:
    """Return all findings. The pipeline file and the settings come first: others need them."""
    import time

    first, loaded, source = _pipeline(file)
    yield first
    settings, bad = _settings(file.parent)
    yield from bad
    subject = Subject(file, loaded, source, settings.over(actor=actor), environ, ledger)
    try:
        parts = _parts(subject)
    except PromoterError as error:  # what a file needs from its environment, such as a variable, may be missing here
        yield Finding("environments", False, True, error.message, error.hint or f"promoter validate {file}")
        parts = _parts(Subject(file, None, source, subject.settings, environ, ledger))
    for part in parts:
        part.start()
    deadline = time.monotonic() + timeout
    for part in parts:
        yield from part.findings(max(0.05, deadline - time.monotonic()))


def _parts(subject: Subject) -> list[_Part]:
    found = [_Part(engines.title(address), True, partial(engines.check, subject, address)) for address in subject.engines]
    found.append(_Part("buildx", False, partial(programs.buildx, subject)))
    found += [_Part(f"registry {host}", True, partial(registries.check, subject, host)) for host in subject.registries]
    found += [_Part(f"rights {one}", True, partial(registries.rights, subject, one)) for one in subject.repositories]
    found += [_Part(f"image {one}", True, partial(registries.image, subject, one)) for one in subject.pulled]
    checks: tuple[tuple[str, bool, Callable[[Subject], Iterable[Finding]]], ...] = (
        ("swarm", True, swarms.check),
        ("ports", True, environments.ports),
        ("secrets", False, environments.secrets),
        ("git", False, programs.git),
        ("ssh-keygen", False, programs.keygen),
        ("evidence", False, programs.evidence),
        ("ssh", False, ssh.check),
        ("signing key", False, keys.check),
        ("clock", False, clocks.check),
        ("disk", True, disks.check),
        ("ledger", True, ledgers.check),
        ("CI", False, ci.check),
    )
    return [*found, *(_Part(name, essential, partial(check, subject)) for name, essential, check in checks)]


def _pipeline(file: Path) -> tuple[Finding, LoadedPipeline | None, Source]:
    if not file.exists():
        found = Finding(
            "pipeline file", False, False, f"{file} does not exist", "run promoter init, or name another file with -f"
        )
        return found, None, Source()
    source = GitSource().source(file.parent.resolve())
    try:
        loaded = validate(file, source=source, environ=os.environ)
    except PromoterError as error:
        found = Finding("pipeline file", False, True, error.message, error.hint or f"promoter validate {file}")
        return found, None, source
    return Finding("pipeline file", True, True, f"{file}: {loaded.pipeline.name}"), loaded, source


def _settings(directory: Path) -> tuple[Settings, list[Finding]]:
    try:
        return load_settings(directory), []
    except PromoterError as error:
        return Settings(), [Finding("settings", False, True, error.message, error.hint or "fix the settings")]
