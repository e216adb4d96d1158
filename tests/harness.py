"""A pipeline with fakes, to test runner and API. Images are identified by a word."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from promoter.api import Promoter
from promoter.gates.checks import Check
from promoter.gates.override import Override, Rollback
from promoter.gates.registry import Gate
from promoter.ledger.ledger import Ledger
from promoter.ledger.store import StateCache, TrustedHead
from promoter.model.errors import CallerError, Diagnostic, RegistryError
from promoter.model.images import Digest, ImageRef, Reference, Repository
from promoter.model.release import Release, Source
from promoter.pipeline.compose.service import Healthcheck, Service
from promoter.pipeline.hosts import Host, Rollout, swarm
from promoter.pipeline.loader_port import Loaded, PolicyAt, Snapshot
from promoter.pipeline.model import BuilderChoice, BuiltService, Environment, Network, OnFailure, Pipeline, Strategy, ToPin
from promoter.pipeline.swarm_spec import SwarmForm
from promoter.promotion.build import Wanted
from promoter.promotion.ports.builder import BuildRequest
from promoter.promotion.ports.registry import Manifest
from promoter.promotion.progress import Event
from promoter.promotion.results import RunResult
from promoter.usecases.context import Context
from promoter.usecases.ports.bundle import UseCasePorts
from tests.fakes.builder import FakeBuilder
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import FakeCluster
from tests.fakes.engine import FakeEngine
from tests.fakes.ledger import MemoryLedger
from tests.fakes.probes import FakeProbes
from tests.fakes.secrets import FakeSecrets

TEST = ("CMD", "/bin/check")
WEB = Service(image="shop/web", healthcheck=Healthcheck(test=TEST, interval=timedelta(seconds=1), retries=2))
WORKER = Service(image="shop/worker", steady=timedelta(seconds=1))


def image(name: str, word: str = "one") -> ImageRef:
    return ImageRef(Repository("registry.example.com", f"shop/{name}"), Digest(hashlib.sha256(word.encode()).hexdigest()))


class FixedSource:
    """A checkout at a commit that the test sets."""

    def __init__(self) -> None:
        self.now = Source("c" * 40, "main", False, "1.0", "author@example.com")

    def source(self, directory: Path) -> Source:
        return self.now

    def snapshot(self, directory: Path, ref: str) -> Snapshot:
        raise CallerError(f"no checkout has {ref}")

    def commits(self, directory: Path, old: str, new: str) -> tuple[str, ...] | None:
        return (f"{new[:7]} a change",)


class NoRegistry:
    """A registry that resolves the images that the harness offers. Nothing is built in these tests."""

    def __init__(self, images: Mapping[str, ImageRef]) -> None:
        self.images, self.pings, self.asked, self.lost = images, list[str](), list[ImageRef](), set[ImageRef]()
        self.refuses: RegistryError | None = None

    def ping(self, host: str) -> None:
        self.pings.append(host)

    def manifest(self, image: ImageRef) -> Manifest | None:
        self.asked.append(image)
        if self.refuses is not None:
            raise self.refuses
        return None if image in self.lost else Manifest(image.digest, "application/vnd.oci.image.manifest.v1+json", 2, None, ())

    def copy(self, image: ImageRef, to: Repository) -> None:
        raise AssertionError("every environment has the same registry here")

    def tag(self, image: ImageRef, tag: str) -> None:
        raise AssertionError("nothing is pushed here")

    def resolve(self, reference: Reference) -> Digest:
        return self.images[reference.repository.path.removeprefix("shop/")].digest


@dataclass
class Harness:
    """A test may change `services`, `gates` and other fields between runs, as a person edits the file."""

    services: dict[str, Service] = field(default_factory=lambda: {"web": WEB})
    images: dict[str, ImageRef] = field(default_factory=lambda: {"web": image("web"), "worker": image("worker")})
    names: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {"dev": (), "test": ("dev",), "prod": ("test",)})
    gates: dict[str, tuple[Gate, ...]] = field(default_factory=dict)
    before: tuple[Check, ...] = ()
    verify: tuple[Check, ...] = ()
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    on_failure: OnFailure = OnFailure.ROLLBACK
    strategy: Strategy = Strategy.RECREATE
    override: Override | None = None
    rollback: Rollback = field(default_factory=Rollback)
    file: Loaded | None = None
    """A real pipeline file, for tests that need one."""
    policy_ref: str | None = None
    hosts: Mapping[str, tuple[Host, ...]] = field(default_factory=dict)
    """The hosts of each environment. An environment that is missing here has one host without a name."""
    rollout: Rollout = field(default_factory=Rollout)
    prefetch: bool = False
    contents: Mapping[str, str] = field(default_factory=dict)
    accept_engine: tuple[str, ...] = ()
    engines: dict[str | None, FakeEngine] = field(default_factory=dict)
    """The engines of hosts, by address. Every other address leads to `engine`."""
    name: str = "shop"
    kept: Callable[[], StateCache | None] = lambda: None
    witness: Callable[[], TrustedHead | None] = lambda: None

    def __post_init__(self) -> None:
        self.clock, self.store, self.probes, self.secrets = FakeClock(), MemoryLedger(), FakeProbes(), FakeSecrets()
        self.engine, self.source, self.registry = FakeEngine(sleep=self.clock.sleep), FixedSource(), NoRegistry(self.images)
        self.cluster = FakeCluster(sleep=self.clock.sleep)
        self.events: list[Event] = []
        self.offer(*self.images.values())

    @property
    def pipeline(self) -> Pipeline:
        return Pipeline(
            name=self.name,
            file=Path("/nowhere/pipeline.yaml"),
            ledger=None,
            approvers=None,
            roles=self.roles,
            secrets={},
            builder=BuilderChoice.AUTO,
            needs=self.names,
        )

    reads_variables = False

    def check(self) -> None:
        """Do nothing: there is no file that could be wrong."""

    def resolve(self, environment: str, source: Source, release_id: str | None) -> Environment:
        network, in_swarm = Network(f"shop-{environment}"), self.strategy is Strategy.SWARM
        return Environment(
            name=environment,
            needs=self.names[environment],
            registry=None,
            hosts=(swarm([self.cluster.address]),) if in_swarm else self.hosts.get(environment, (Host(),)),
            rollout=self.rollout if environment in self.hosts else None,
            services=self.services,
            contents=self.contents,
            networks={"default": network},
            volumes={},
            before=self.before,
            verify=self.verify,
            gates=self.gates.get(environment, ()),
            on_failure=self.on_failure,
            strategy=self.strategy,
            swarm=SwarmForm(timeout=timedelta(minutes=1)) if in_swarm else None,
            override=self.override,
            rollback=self.rollback,
            prefetch=self.prefetch,
        )

    def file_digest(self, path: str, *, read_only: bool) -> str | None:
        """Return None: there are no files beside the pipeline file."""
        return None

    def complaint(self, environment: str, message: str, hint: str | None = None) -> Diagnostic:
        return Diagnostic("pipeline.yaml", 1, 1, message, hint)

    def url(self, environment: str, release: Release) -> str | None:
        return self.resolve(environment, release.source, release.id).address

    def policy_at(self, ref: str, environment: str, source: Source, release_id: str) -> PolicyAt:
        raise AssertionError(f"no policy is held to {ref} here")

    def builds(self, source: Source) -> Wanted:
        wanted: dict[str, BuiltService] = {n: ToPin(Reference(self.images[n].repository, "1")) for n in self.services}
        return wanted

    def offer(self, *images: ImageRef) -> None:
        for engine in (self.engine, self.cluster, *self.engines.values()):
            for one in images:
                engine.offer(one)

    def on_hosts(self, environment: str, *names: str) -> list[FakeEngine]:
        """Add hosts with these names to an environment, and return their engines."""
        self.hosts = {**self.hosts, environment: tuple(Host(name, f"fake://{name}") for name in names)}
        for name in names:
            self.engines[f"fake://{name}"] = FakeEngine(f"fake://{name}", sleep=self.clock.sleep)
        self.offer(*self.images.values())
        return [self.engines[f"fake://{name}"] for name in names]

    def newer(self, word: str) -> ImageRef:
        """Offer another image of web, and move to another commit."""
        self.images["web"] = image("web", word)
        self.offer(self.images["web"])
        self.source.now = replace(self.source.now, sha=hashlib.sha1(word.encode()).hexdigest())
        return self.images["web"]

    def api(self, actor: str = "ann@example.com") -> Promoter:
        """Return a new Promoter, as in a new process: it shares only ledger and engine with the earlier ones."""
        patient = self.clock if self.clock.interrupt_after is None else _Patient(self.clock)
        ports = UseCasePorts(
            clock=self.clock,
            patient=patient,
            secrets=self.secrets,
            engine=lambda address: self.engines.get(address, self.engine),
            cluster=lambda _: self.cluster,
            registry=self.registry,
            builder=lambda _: FakeBuilder(_nothing_is_built),
            probes=self.probes,
            source=self.source,
        )
        ledger = Ledger(self.store, self.clock, actor, self.witness(), self.kept(), self.secrets.redact)
        context = Context(
            self.file or self,
            ports,
            ledger,
            self.events.append,
            owner=f"{actor} here",
            actor=actor,
            interrupt=self.clock.interrupt,
            policy_ref=self.policy_ref,
            accept_engine=self.accept_engine,
        )
        return Promoter(context)

    def run(self, to: str | None = None, wait: timedelta | None = None) -> RunResult:
        return self.api().run(to, wait)

    def kinds(self, environment: str | None = None) -> list[str]:
        return [str(f.kind) for f in self.store.read() if environment in (None, f.environment) and f.kind != "step_done"]

    def release(self) -> Release:
        return Release({name: self.images[name] for name in self.services}, self.source.now)


def _nothing_is_built(request: BuildRequest) -> None:
    raise AssertionError(f"no image is built in these tests, and {request.service} was")


class _Patient:
    """The same clock, whose waits continue when those of the original are interrupted."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.now, self.monotonic = clock.now, clock.monotonic

    def sleep(self, seconds: float) -> None:
        self._clock.advance(timedelta(seconds=seconds))

    def check(self) -> None:
        """Do nothing: this clock is never interrupted."""


def statuses(result: RunResult) -> dict[str, str]:
    return {e.name: str(e.status) for e in result.environments}
