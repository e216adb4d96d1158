"""The time of evaluating gates: one signed approval checked, and all gates of an environment over a ledger of 10,000 facts.

In-process times, because both happen many times in one command; each is set against its limit in design.
"""

import hashlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from promoter.adapters.ssh.signer import SshKeygen
from promoter.gates.approval.rule import Approval
from promoter.gates.approval.ssh.allowed_signers import read_signers
from promoter.gates.approval.ssh.trust import Trust
from promoter.gates.approval.votes import checked
from promoter.gates.evaluate import evaluate_gates, worst
from promoter.gates.soak import Soak
from promoter.gates.window.rule import Window
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of, seal
from promoter.ledger.reducer import fold
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release, Source
from promoter.model.statement import Statement, subject_of
from promoter.model.timestamps import stamp
from promoter.model.vote import Vote
from promoter.pipeline.hosts import Host
from promoter.pipeline.model import BuilderChoice, Environment, Pipeline
from promoter.pipeline.policy import policy_digest
from promoter.promotion.admission.evaluate import make_case
from promoter.promotion.admission.holds import active_holds, newer_instead
from promoter.promotion.admission.overrides import missing_reviews
from promoter.promotion.execution.strategies.registry import steps_of
from promoter.promotion.plan import make_plan

FACTS, ROUNDS = 10_000, 200
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = {"ana@example.com": "ed25519", "ben@example.com": "rsa", "eve@example.com": "ecdsa"}
LIMITS = {
    "check one approval, ed25519": 1e-3,
    "check one approval, rsa": 1e-3,
    "check one approval, ecdsa": 1e-3,
    f"judge all gates, {FACTS:,} facts": 10e-3,
}


class Ledger:
    """Facts in memory, in a valid chain."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []

    @property
    def head(self) -> LedgerHead:
        return head_of(self.facts[-1]) if self.facts else LedgerHead()

    def record_fact(self, kind: Kind, environment: str | None, release: str, body: dict[str, object]) -> Fact:
        at = BEGAN + timedelta(minutes=len(self.facts))
        self.facts.append(seal(FactDraft(kind, "ci@example.com", environment, release, body), self.head, at))
        return self.facts[-1]


def measure() -> dict[str, list[float]]:
    """Return the seconds of each round, by operation."""
    with tempfile.TemporaryDirectory(prefix="promoter-bench-") as where:
        keys = {who: _key(Path(where), who, kind) for who, kind in KEYS.items()}
        times, controller = {}, _scene(keys)
        for name, work in controller:
            work()
            times[name] = [_timed(work) for _ in range(ROUNDS)]
    return times


def lines(times: dict[str, list[float]]) -> list[str]:
    """Return one line for each measurement: the median of its rounds, and the limit."""
    output = [(name, median(values), LIMITS[name]) for name, values in times.items()]
    return [
        f"{name:<36} {seconds * 1000:8.3f} ms  limit {limit * 1000:g} ms  {'ok' if seconds <= limit else 'MISSED'}"
        for name, seconds, limit in output
    ]


def _key(where: Path, who: str, kind: str) -> Path:
    path = where / kind
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", who, "-f", path], check=True)
    return path


def _scene(keys: dict[str, Path]) -> Iterator[tuple[str, Callable[[], object]]]:
    text = "".join(f"{who} {' '.join(Path(f'{key}.pub').read_text().split()[:2])}\n" for who, key in keys.items())
    signers, _ = read_signers(text)
    pipeline = Pipeline(
        "shop",
        Path("/nowhere/pipeline.yaml"),
        None,
        None,
        {},
        {},
        BuilderChoice.AUTO,
        {"test": (), "prod": ("test",)},
        trust=Trust(signers),
    )
    gates = (
        Soak.model_validate({"in": "test", "for": "4h"}),
        Window.model_validate(
            {
                "timezone": "Europe/Bucharest",
                "allow": ["mon-sun 00:00-23:59"],
                "freeze": [{"from": "2027-12-18", "to": "2028-01-05"}],
            }
        ),
        Approval.model_validate({"min": 3, "grade": "signed", "exclude": ["requester", "author"]}),
    )
    environment = Environment("prod", ("test",), None, (Host(),), {}, {}, {}, {}, (), (), gates)
    policy, ledger = policy_digest(pipeline, environment), Ledger()
    while len(ledger.facts) < FACTS - 8:
        promotion_of(ledger, release_of(len(ledger.facts)), policy)
    release = release_of(FACTS)
    plan = make_plan("shop", environment, release, lambda name: name, steps_of)
    _asked(ledger, release, plan.digest, policy)
    for who, key in keys.items():
        _signed(ledger, release, plan.digest, policy, who, key)
    state, now = fold(ledger.facts), BEGAN + timedelta(minutes=FACTS, hours=5)
    votes = {vote.principal: vote for vote in state.environment("prod").votes_for(release.id)}
    for who, kind in KEYS.items():
        yield f"check one approval, {kind}", partial(_check, votes[who], release, pipeline.trust, now)

    def controller() -> None:
        case = make_case(pipeline, plan, state, now, requested_by="ci@example.com", promotion="x", plan_digest=plan.digest)
        found = active_holds(state, environment, release), newer_instead(state, "prod", release, explicit=False)
        results = (*found[0], *found[1], *missing_reviews(pipeline, environment, state, case), *evaluate_gates(gates, case, None))
        if (closed := worst(results)) is not None:
            raise SystemExit(f"bench: {closed.gate} is closed: {closed.verdict.sentence}")

    yield f"judge all gates, {FACTS:,} facts", controller


def _check(vote: Vote, release: Release, trust: Trust | None, now: datetime) -> None:
    if checked([vote], "shop", release, trust, now)[0].flaw is not None:
        raise SystemExit(f"bench: a vote has a flaw: {vote}")


def release_of(number: int) -> Release:
    image = ImageRef(Repository("registry.example.com", "shop/web"), Digest(hashlib.sha256(str(number).encode()).hexdigest()))
    return Release({"web": image}, Source(sha=f"{number:040x}", branch="main", author="author@example.com"))


def _asked(ledger: Ledger, release: Release, plan: str, policy: str) -> None:
    """Append that the release was made, verified in test, and requested for prod."""
    ledger.record_fact(Kind.RELEASED, None, release.id, {"pipeline": "shop", "content": release.content()})
    where = {"plan_digest": "sha256:test", "promotion": release.id[:16]}
    ledger.record_fact(Kind.STARTED, "test", release.id, {**where, "mend": False, "approvals": []})
    ledger.record_fact(Kind.PROMOTED, "test", release.id, {**where, "services": {}, "mend": False})
    running = ledger_running(ledger)
    ledger.record_fact(
        Kind.REQUESTED,
        "prod",
        release.id,
        {
            "plan_digest": plan,
            "plan": {},
            "from": running,
            "policy_digest": policy,
            "requested_by": "ci@example.com",
            "reason_code": "approvals_missing",
            "reasons": [],
            "gates": [],
        },
    )


def promotion_of(ledger: Ledger, release: Release, policy: str) -> None:
    """Append a promotion: requested, approved by two, started, its steps, and verified."""
    plan, promotion = f"sha256:{release.id}", release.id[:16]
    _asked(ledger, release, plan, policy)
    votes = [
        ledger.record_fact(
            Kind.APPROVED,
            "prod",
            release.id,
            {
                "plan_digest": plan,
                "from": ledger_running(ledger),
                "policy_digest": policy,
                "principal": who,
                "role": None,
                "grade": "asserted",
                "comment": "",
                "expires_at": None,
            },
        )
        for who in list(KEYS)[:2]
    ]
    ledger.record_fact(
        Kind.STARTED,
        "prod",
        release.id,
        {"plan_digest": plan, "promotion": promotion, "mend": False, "approvals": [vote.digest for vote in votes]},
    )
    for step in ("pull web", "replace web"):
        ledger.record_fact(Kind.STEP_DONE, "prod", release.id, {"promotion": promotion, "step": step, "detail": {}})
    body = {"plan_digest": plan, "promotion": promotion, "services": {}, "mend": False}
    ledger.record_fact(Kind.PROMOTED, "prod", release.id, body)


def ledger_running(ledger: Ledger) -> str | None:
    """Return the release that was last verified in prod."""
    last = next((fact for fact in reversed(ledger.facts) if (fact.kind, fact.environment) == (Kind.PROMOTED, "prod")), None)
    return last.release if last else None


def _signed(ledger: Ledger, release: Release, plan: str, policy: str, who: str, key: Path) -> None:
    running, head = ledger_running(ledger), ledger.head
    output = Statement(
        subject=subject_of(release),
        decision="approve",
        pipeline="shop",
        environment="prod",
        release=release.id,
        plan_digest=plan,
        from_release=running,
        policy_digest=policy,
        requested_by="ci@example.com",
        principal=who,
        role=None,
        issued_at=BEGAN,
        expires_at=BEGAN + timedelta(days=99),
        comment="",
        nonce="0" * 32,
        ledger_head=head.digest,
        ledger_seq=head.seq,
    )
    text = output.text()
    ledger.record_fact(
        Kind.APPROVED,
        "prod",
        release.id,
        {
            "plan_digest": plan,
            "from": running,
            "policy_digest": policy,
            "principal": who,
            "role": None,
            "grade": "signed",
            "comment": "",
            "expires_at": stamp(BEGAN + timedelta(days=99)),
            "ledger_head": head.digest,
            "envelope": {"statement": text, "signature": SshKeygen(Path("/")).sign(text, str(key))},
        },
    )


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    print("\n".join(lines(measure())))
