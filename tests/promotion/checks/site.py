"""Probes, clock and a checker with fakes, for the tests of checks."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from promoter.gates.checks import Check
from promoter.gates.context import CheckResult
from promoter.ledger.store import never_gone
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.labels import Namespace
from promoter.model.release import Release, Source
from promoter.pipeline.compose.service import Service
from promoter.promotion.checks.runner import Checker
from promoter.promotion.checks.target import CheckTarget
from promoter.promotion.ports.probes import Probes
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine
from tests.fakes.probes import FakeProbes
from tests.fakes.secrets import FakeSecrets


def image(name: str = "web", host: str = "registry.example.com", hexdigit: str = "a") -> ImageRef:
    return ImageRef(Repository(host, f"shop/{name}"), Digest(hexdigit * 64))


class Bench:
    """Has clock, probes and secrets to set up; then call `run_check`."""

    def __init__(self, **images: ImageRef) -> None:
        self.clock, self.probes = FakeClock(), FakeProbes()
        self.secrets = FakeSecrets({"TOKEN": "hush-hush"})
        self.images = images or {"web": image()}
        self.services = {name: Service(image="x") for name in self.images}
        self.insecure: frozenset[str] = frozenset()

    def run_check(self, check: Check, *, fresh: bool = False, probes: Probes | None = None) -> CheckResult:
        world: Any = SimpleNamespace(
            clock=self.clock, probes=probes or self.probes, secrets=self.secrets, insecure=self.insecure, gone=never_gone
        )
        release, namespace = Release(self.images, Source()), Namespace("shop", "prod")
        promoted = {name: ImageRef(Repository("prod.example.com", "x"), ref.digest) for name, ref in self.images.items()}
        engine = FakeEngine(sleep=self.clock.sleep)
        site = CheckTarget(namespace, release, promoted, "gate", self.services, lambda _: (), Path("/nowhere"), engine, fresh)
        return Checker(world).run(check, site)
