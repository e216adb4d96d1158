"""The wiring: builds the concrete adapters and opens a pipeline with them. No other file does that."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Lock

from promoter.adapters.actor import who
from promoter.adapters.clock import SystemClock
from promoter.adapters.engine.connect import open_engine
from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.git.source import GitSource
from promoter.adapters.git.tracked import GitCheckout
from promoter.adapters.ledgers.open import open_ledger
from promoter.adapters.ledgers.state_cache import Projection
from promoter.adapters.ledgers.trusted_head import FileWitness
from promoter.adapters.probes import OutsideProbes
from promoter.adapters.process_owner import is_gone, lease_owner, run_url
from promoter.adapters.registry.client import HttpRegistry
from promoter.adapters.registry.credentials import Credentials
from promoter.adapters.secrets import DeclaredSecrets
from promoter.adapters.settings import Settings, load_settings, passed_over
from promoter.adapters.ssh.signer import SshKeygen, git_signing_key
from promoter.ledger.lease import TIME_TO_LIVE
from promoter.ledger.ledger import Ledger
from promoter.pipeline.loader import load
from promoter.pipeline.loader_port import Loaded
from promoter.pipeline.model import BuilderChoice
from promoter.promotion.ports.builder import Builder
from promoter.promotion.ports.cluster import Cluster
from promoter.promotion.ports.engine import Engine
from promoter.promotion.progress import Listener, Notice
from promoter.usecases.context import Context
from promoter.usecases.copy_ledger import Copying
from promoter.usecases.ports.bundle import UseCasePorts
from promoter.usecases.ports.platform import Forge, Platform

_UNUSED = "`ledger_token` is not used, because only the pipeline file names the server: set PROMOTER_LEDGER to that ledger"


class Engines:
    """Engines by address and swarms by their managers, each opened once and closed together."""

    def __init__(self, credentials: Credentials, sleep: Callable[[float], None], check: Callable[[], None]) -> None:
        self._credentials, self._sleep, self._check, self._lock = credentials, sleep, check, Lock()
        self._engines: dict[str | None, DockerEngine] = {}
        self._clusters: dict[tuple[str | None, ...], Cluster] = {}
        self._stack = ExitStack()

    def at(self, address: str | None) -> Engine:
        return self._at(address)

    def cluster(self, managers: tuple[str | None, ...]) -> Cluster:
        """Return the swarm with these managers."""
        from promoter.adapters.swarm.swarm import DockerSwarm  # most pipelines have none

        engines = [self._at(address) for address in managers]
        with self._lock:
            if managers not in self._clusters:
                self._clusters[managers] = DockerSwarm(engines, self._sleep, self._check)
            return self._clusters[managers]

    def _at(self, address: str | None) -> DockerEngine:
        with self._lock:
            engine = self._engines.get(address)
            if engine is None:
                engine = open_engine(address, logins=self._credentials.for_host, check=self._check)
                self._stack.callback(engine.close)
                self._engines[address] = engine
            return engine

    def close(self) -> None:
        self._stack.close()


class Forges:
    """The platforms of one checkout, each opened once and closed together."""

    def __init__(self, directory: Path, sleep: Callable[[float], None]) -> None:
        self._directory, self._sleep = directory, sleep
        self._forges: dict[Platform | None, Forge] = {}

    def of(self, platform: Platform | None) -> Forge:
        if platform not in self._forges:
            from promoter.adapters.platforms.open import open_forge

            self._forges[platform] = open_forge(platform, self._directory, os.environ, self._sleep)
        return self._forges[platform]

    def close(self) -> None:
        for forge in self._forges.values():
            forge.close()


@contextmanager
def open_context(
    file: Path, *, ledger: str | None, actor: str | None, listener: Listener, revealed: Callable[[str], None] = lambda _: None
) -> Iterator[Context]:
    """Open a pipeline for one command. Raises InvalidFile for a bad file, CallerError for a bad ledger address.

    `revealed` gets each secret's value once, before it is used.
    """
    settings = load_settings(file.parent).over(ledger=ledger, actor=actor)
    source, clock = GitSource(), SystemClock()
    loaded = _load(file, source)
    pipeline = loaded.pipeline
    with ExitStack() as stack:
        ports = _open_ports(loaded, settings, source, clock, revealed, stack)
        token = settings.token_for(pipeline.ledger)
        if token != settings.ledger_token:
            listener(Notice(_UNUSED))
        store = open_ledger(settings.ledger or pipeline.ledger, pipeline.directory, pipeline.name, token)
        stack.callback(store.close)
        me = pipeline.person(who(settings, pipeline.directory, flag=actor))
        if (note := passed_over(settings, os.environ, actor)) is not None:
            listener(Notice(note))
        directory = pipeline.directory / ".promoter"
        cache = Projection(directory, store.location)
        stack.callback(cache.close)
        yield Context(
            loaded=loaded,
            ports=ports,
            ledger=Ledger(store, clock, me, FileWitness(directory, store.location), cache, ports.secrets.redact),
            emit=listener,
            owner=lease_owner(me, os.environ),
            actor=me,
            interrupt=clock.interrupt,
            accept_engine=settings.accept_engine,
            accept_ledger=settings.accept_ledger,
            key=settings.key,
            git_key=lambda: git_signing_key(pipeline.directory),
            policy_ref=settings.policy_ref,
            lease_ttl=settings.lease_ttl or TIME_TO_LIVE,
            ci_run=run_url(os.environ),
            deployments=settings.deployments,
        )


def _load(file: Path, source: GitSource) -> Loaded:
    return load(
        file,
        source=lambda: source.source(file.parent.resolve()),
        environ=os.environ,
        snapshot=source.snapshot,
        files=source.files,
        checkout=GitCheckout(),
    )


def _open_ports(
    loaded: Loaded,
    settings: Settings,
    source: GitSource,
    clock: SystemClock,
    revealed: Callable[[str], None],
    stack: ExitStack,
) -> UseCasePorts:
    """Every adapter that a command may need. `stack` closes them."""
    pipeline, credentials, patient = loaded.pipeline, Credentials(), SystemClock()
    insecure, choice = frozenset(settings.insecure_registries), settings.builder or pipeline.builder
    engines = Engines(credentials, clock.sleep, clock.check)
    registry = HttpRegistry(credentials, insecure=insecure, sleep=clock.sleep, check=clock.check)
    forges = Forges(pipeline.directory, clock.sleep)
    for opened in (engines, registry, forges):
        stack.callback(opened.close)
    return UseCasePorts(
        clock=clock,
        patient=patient,
        secrets=DeclaredSecrets(pipeline.secrets, pipeline.directory, clock.check, revealed, settings.known_secrets()),
        engine=engines.at,
        cluster=engines.cluster,
        registry=registry,
        builder=partial(_builder, choice, credentials, clock),
        probes=OutsideProbes(clock),
        source=source,
        gone=is_gone,
        signer=SshKeygen(Path.cwd()),
        insecure=insecure,
        forge=forges.of,
        patient_probes=OutsideProbes(patient),
    )


def _builder(choice: BuilderChoice, credentials: Credentials, clock: SystemClock, engine: Engine) -> Builder:
    from promoter.adapters.builders.select import choose_builder  # slow to import, and most commands build nothing

    return choose_builder(choice, engine, logins=credentials.for_host, check=clock.check)


@contextmanager
def open_copy(file: Path, source: str, target: str, actor: str | None) -> Iterator[Copying]:
    """Open two ledgers of the pipeline in `file`. Raise the same errors as `open_context`."""
    settings = load_settings(file.parent).over(actor=actor)
    git = GitSource()
    pipeline = load(file, source=lambda: git.source(file.parent.resolve()), environ=os.environ, snapshot=git.snapshot).pipeline
    clock, me = SystemClock(), pipeline.person(who(settings, pipeline.directory, flag=actor))
    with ExitStack() as stack:

        def ledger(url: str) -> Ledger:
            own = url == (settings.ledger or pipeline.ledger)
            token = settings.token_for(pipeline.ledger) if own else None  # it is for that server only
            store = open_ledger(url, pipeline.directory, pipeline.name, token)
            stack.callback(store.close)
            return Ledger(store, clock, me, FileWitness(pipeline.directory / ".promoter", store.location))

        yield Copying(pipeline.name, ledger(source), ledger(target), clock, is_gone)
