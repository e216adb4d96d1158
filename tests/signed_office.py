"""A harness whose prod waits for approvals signed with real keys."""

import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from promoter.adapters.ssh.signer import SshKeygen
from promoter.api import Promoter
from promoter.gates.approval.rule import Approval
from promoter.gates.approval.ssh.allowed_signers import read_signers
from promoter.gates.approval.ssh.revocation import read_revocations
from promoter.gates.approval.ssh.trust import Trust
from promoter.ledger.chain import Fact
from promoter.model.verdict import ReasonCode
from promoter.model.vote import Grade
from promoter.pipeline.model import Pipeline
from promoter.promotion.results import RunResult
from tests.harness import Harness

ANA, BEN, EVE = "ana@example.com", "ben@example.com", "eve@example.com"
SIGNED = Approval(grade=Grade.SIGNED)


def make_keys(directory: Path) -> dict[str, Path]:
    """Make a private key for each person with the real ssh-keygen."""
    made = {}
    for person in (ANA, BEN, EVE, "stranger"):
        made[person] = directory / person.split("@")[0]
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", made[person]], check=True)
    return made


def public(key: Path) -> str:
    return " ".join(Path(f"{key}.pub").read_text().split()[:2])


@dataclass
class Office(Harness):
    """A harness whose prod is gated by signed approvals."""

    allowed: str = ""
    revoked: bytes = b""
    directory: Path = field(default_factory=Path)

    @property
    def pipeline(self) -> Pipeline:
        signers, faults = read_signers(self.allowed)
        assert not faults
        return replace(super().pipeline, trust=Trust(signers, read_revocations(self.revoked)))

    def api(self, actor: str = ANA) -> Promoter:
        api = super().api(actor)
        api.context.ports = replace(api.ports, signer=SshKeygen(Path("/")))
        return api

    def vote(self, key: Path, actor: str = ANA, decision: str = "approve", comment: str | None = None) -> Fact:
        api = self.api(actor)
        return api.vote(api.case("prod", None), decision, comment, str(key))

    def promote(self, actor: str = "ci@example.com") -> RunResult:
        return self.api(actor).promote(None, None, None)

    def prod(self) -> tuple[str, ReasonCode, str]:
        """Return how a promotion to prod ends now."""
        result = self.promote().environments[-1]
        return str(result.status), result.code, "; ".join(result.reasons)


def open_office(keys: dict[str, Path], directory: Path) -> Office:
    """Return a harness whose prod waits for one signed approval."""
    allowed = "".join(f'{person} namespaces="promoter-approval" {public(keys[person])}\n' for person in (ANA, BEN, EVE))
    shop = Office(gates={"prod": (SIGNED,)}, allowed=allowed, directory=directory)
    shop.api("ci@example.com").run(None, None)
    assert shop.prod()[:2] == ("pending", ReasonCode.APPROVALS_MISSING)
    return shop
