"""A Promoter that records its calls and returns what a test configures, for the tests of the command line."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from promoter.gates.evaluate import GateResult
from promoter.gates.rule import Rule
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of, seal
from promoter.ledger.store import LeaseInfo
from promoter.model.diff import Change
from promoter.model.errors import Diagnostic, PromoterError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release, Source
from promoter.model.timestamps import stamp
from promoter.model.verdict import ReasonCode, passed, waiting
from promoter.promotion.ports.container import Container
from promoter.promotion.progress import Event, Listener
from promoter.promotion.results import EnvironmentResult, RunResult, Status
from promoter.usecases.approval_case import ApprovalCase
from promoter.usecases.exec import Execution
from promoter.usecases.explain import Explanation
from promoter.usecases.history import LedgerReport
from promoter.usecases.holds import Vetoed
from promoter.usecases.import_reviews import Imported
from promoter.usecases.logs import LogEntry
from promoter.usecases.openings import Opening
from promoter.usecases.ports.platform import Target
from promoter.usecases.redacted_lines import WriteLine
from promoter.usecases.status import EnvironmentStatus, LocksReport, StatusReport, WaitingRelease
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.secrets import FakeSecrets

AT = datetime(2026, 11, 23, 18, 20, 11, 123456, UTC)
IMAGE = ImageRef(Repository("127.0.0.1:5000", "demo/web"), Digest("ab" * 32))
RELEASE = Release({"web": IMAGE}, Source(sha="c0ffee" * 6 + "c0ff", branch="main", dirty=True))
EARLIER = Release({"web": ImageRef(IMAGE.repository, Digest("cd" * 32))}, Source())
PLAN = "sha256:" + "ef" * 32


def fact(
    kind: Kind, environment: str | None = None, body: Mapping[str, object] | None = None, head: LedgerHead | None = None
) -> Fact:
    draft = FactDraft(kind, "ana@example.com", environment, RELEASE.id, body or {})
    return seal(draft, head or LedgerHead(), AT)


def facts() -> list[Fact]:
    """Return a short, valid chain of facts."""
    chain = [fact(Kind.RELEASED)]
    for kind, environment, body in (
        (Kind.STARTED, "dev", {"plan_digest": PLAN}),
        (Kind.PROMOTED, "dev", {"plan_digest": PLAN, "gap_ms": 12}),
        (Kind.REQUESTED, "prod", {"reason_code": "approvals_missing", "reasons": ["0 of 1 approvals"]}),
    ):
        chain.append(fact(kind, environment, body, head_of(chain[-1])))
    return chain


def result(*environments: EnvironmentResult) -> RunResult:
    return RunResult("shop", RELEASE, environments or (environment("dev"),))


def environment(
    name: str, status: Status = Status.DEPLOYED, code: ReasonCode = ReasonCode.OK, *reasons: str
) -> EnvironmentResult:
    return EnvironmentResult(name, status, code, reasons, PLAN, EARLIER.id, gap_ms=210, duration_ms=812)


def planned() -> RunResult:
    details = {
        "from": EARLIER.id,
        "to": RELEASE.id,
        "steps": [{"id": "pull web", "kind": "pull", "title": "pull web"}],
        "gates": [
            {"gate": "approval of 1 person", "outcome": "waiting", "reason_code": "approvals_missing", "sentence": "0 of 1"}
        ],
        "changes": [{"path": "services.web.environment.A", "from": None, "to": "1", "change": "added"}],
    }
    waits = EnvironmentResult(
        "prod", Status.PENDING, ReasonCode.APPROVALS_MISSING, ("0 of 1",), PLAN, EARLIER.id, details=details
    )
    return RunResult("shop", RELEASE, (waits,))


def approval_case() -> ApprovalCase:
    images = (("web", str(EARLIER.images["web"].digest), str(IMAGE.digest)),)
    return ApprovalCase(
        "shop",
        "prod",
        RELEASE,
        EARLIER,
        PLAN,
        PLAN,
        "ben@example.com",
        AT,
        ("0 of 1 approvals",),
        ("c0ffee1 Be faster",),
        (Change("services.web.environment.A", "1", "2"),),
        images,
        ("pull web", "replace web"),
        (GateResult("soak in test for 4h", waiting(ReasonCode.SOAKING, "soaks in test until noon"), Rule.SOAK),),
        (),
    )


def explanation(at: datetime) -> Explanation:
    soak = GateResult(
        "soak in test for 4h", waiting(ReasonCode.SOAKING, "soaks in test until noon", at + timedelta(hours=1)), Rule.SOAK
    )
    votes = GateResult("approval of 1 person", waiting(ReasonCode.APPROVALS_MISSING, "0 of 1"), Rule.APPROVAL)
    window = GateResult("window always UTC", passed("inside the window"), Rule.WINDOW)
    gates = (Opening(soak), Opening(votes, ("ben@example.com",), "promoter approve prod"), Opening(window))
    return Explanation("shop", "prod", RELEASE, at, gates, at + timedelta(hours=1), lives_there=False)


def status_report() -> StatusReport:
    waits = WaitingRelease(RELEASE.id, "approvals_missing", ("0 of 1 approvals; may approve: anyone",))
    return StatusReport(
        "shop",
        (
            EnvironmentStatus("dev", RELEASE, AT, "healthy", None, None, None),
            EnvironmentStatus("prod", None, None, None, "year end", None, waits),
        ),
    )


class FakeLoaded:
    """A file with these environments, each on a separate line and with a URL."""

    needs: Mapping[str, tuple[str, ...]] = {"dev": (), "test": ("dev",), "prod": ("test",)}
    remarks: tuple[Diagnostic, ...] = ()

    def __init__(self) -> None:
        self.pipeline = SimpleNamespace(name="shop", needs=self.needs)

    def complaint(self, environment: str, message: str, hint: str | None = None) -> Diagnostic:
        line = list(self.needs).index(environment) + 3
        return Diagnostic("pipeline.yaml", line, 3, message, hint, f"  {environment}: {{}}")

    def url(self, environment: str, release: Release) -> str | None:
        return f"https://{environment}.example.com/{release.short_id}"


class FakePromoter:
    """`asked` has every call. `answers` replaces an answer or raises an error, by the name of the method."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.answers: dict[str, object] = {}
        self.events: Sequence[Event] = ()
        self.during: Callable[[], None] = lambda: None
        self.interrupted = 0
        self.ports = SimpleNamespace(clock=FakeClock(), secrets=FakeSecrets())
        self.emit: Listener = lambda _: None
        self.reveal: Callable[[str], None] = lambda _: None
        self.loaded = FakeLoaded()

    @contextmanager
    def open(
        self, file: Path, *, ledger: str | None, actor: str | None, listener: Listener, revealed: Callable[[str], None]
    ) -> Iterator["FakePromoter"]:
        self.asked.append(("open", file, ledger, actor))
        self.emit, self.reveal = listener, revealed
        yield self

    def _answer(self, usual: object, name: str, *words: object) -> object:
        self.asked.append((name, *words))
        for event in self.events:
            self.emit(event)
        self.during()
        answer = self.answers.get(name, usual)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def run(self, to: str | None, wait: timedelta | None, wait_lock: timedelta | None) -> object:
        return self._answer(result(), "run", to, wait, wait_lock)

    def build(self) -> object:
        return self._answer(RunResult("shop", RELEASE, ()), "build")

    def promote(self, release: str | None, to: str | None, wait: timedelta | None, wait_lock: timedelta | None) -> object:
        return self._answer(result(), "promote", release, to, wait, wait_lock)

    def locks(self) -> object:
        held = LeaseInfo("prod", "ben@example.com on build-7", 3, AT, AT + timedelta(seconds=30))
        return self._answer(LocksReport("shop", ((held, True),)), "locks")

    def plan(self, release: str | None, to: str | None) -> object:
        return self._answer(planned(), "plan", release, to)

    def explain(self, environment: str, release: str | None, at: datetime | None, *, run_checks: bool) -> object:
        return self._answer(explanation(at or AT), "explain", environment, release, at, run_checks)

    def rollback(
        self, environment: str, to: str | None, reason: str | None, wait_lock: timedelta | None, *, current_config: bool
    ) -> object:
        return self._answer(result(), "rollback", environment, to, reason, wait_lock, current_config)

    def repair(self, environment: str | None, wait_lock: timedelta | None, *, force: bool, reason: str | None) -> object:
        return self._answer(result(), "repair", environment, wait_lock, force, reason)

    def case(self, environment: str, release: str | None) -> object:
        return self._answer(approval_case(), "case", environment, release)

    def check_approval(self, case: ApprovalCase, key: str | None) -> None:
        """Accept each vote."""

    def vote(self, case: ApprovalCase, decision: str, comment: str | None, key: str | None) -> object:
        kind = Kind.APPROVED if decision == "approve" else Kind.REJECTED
        return self._answer(fact(kind, case.environment, {"comment": comment or ""}), "vote", decision, comment, key)

    def still_missing(self, case: ApprovalCase) -> tuple[str, ...]:
        return ("approval of 2 people: 1 of 2 approvals",) if case.environment == "prod" else ()

    def starter(self, target: Target) -> FakeForge:
        self._answer(None, "starter", str(target))
        return FakeForge()

    def still_closed(self, case: ApprovalCase) -> object:
        return self._answer((), "still_closed")

    def dispatch(self, forge: FakeForge, target: Target, case: ApprovalCase) -> None:
        self._answer(None, "dispatch", str(target))

    def waits_there(self, environment: str, release: str | None) -> object:
        return self._answer(True, "waits_there", environment, release)

    def import_reviews(self, environment: str, release: str | None = None, called: str | None = None) -> object:
        vote = fact(Kind.APPROVED, environment, {"principal": "ben@example.com", "review": {}})
        imported = Imported(environment, RELEASE.id, "https://ci/1", (vote,), 0, ("mallory\x1b may not vote here",))
        return self._answer(imported, "import_reviews", environment, release, called)

    def check_override(self, case: ApprovalCase, key: str | None) -> None:
        self._answer(None, "check_override", key)

    def override(self, case: ApprovalCase, reason: str, key: str | None) -> object:
        return self._answer(fact(Kind.OVERRIDDEN, case.environment, {"comment": reason}), "override", reason, key)

    def review(self, environment: str, comment: str | None, key: str | None) -> object:
        return self._answer(fact(Kind.ATTESTED, environment, {"comment": comment or ""}), "review", environment, comment, key)

    def pin(self, environment: str, reason: str) -> object:
        return self._answer(fact(Kind.PINNED, environment, {"reason": reason}), "pin", environment, reason)

    def freeze(self, environment: str | None, reason: str) -> object:
        return self._answer(fact(Kind.FROZEN, environment, {"reason": reason}), "freeze", environment, reason)

    def unfreeze(self, environment: str | None, reason: str) -> object:
        return self._answer(fact(Kind.UNFROZEN, environment, {"reason": reason}), "unfreeze", environment, reason)

    def veto(self, release: str, reason: str, services: Sequence[str]) -> object:
        vetoed = Vetoed(fact(Kind.VETOED, None, {"reason": reason}), RELEASE, ("prod",))
        return self._answer(vetoed, "veto", release, reason, tuple(services))

    def unpin(self, environment: str, reason: str) -> object:
        return self._answer(fact(Kind.UNPINNED, environment, {"reason": reason}), "unpin", environment, reason)

    def status(self, environment: str | None = None, *, fronts: bool = False) -> object:
        return self._answer(status_report(), "status", environment)

    def has_gates(self, environment: str) -> bool:
        return environment == "prod"

    def history(self, environment: str | None) -> object:
        return self._answer(facts(), "history", environment)

    def show(self, release: str | None) -> object:
        output = [{"seq": 1, "at": stamp(AT), "kind": "released", "environment": None, "actor": "ana@example.com"}]
        made = {"made_at": stamp(AT), "made_by": "ana@example.com", "tags": {"web": "v1"}, "lives_in": ["dev"]}
        return self._answer({"release": RELEASE.document(), **made, "facts": output}, "show", release)

    def diff(self, left: str, right: str) -> object:
        sides = {
            "left": {"environment": left, "release": RELEASE.document()},
            "right": {"environment": right, "release": EARLIER.document()},
        }
        images = [{"service": "web", "left": str(IMAGE.digest), "right": None}]
        return self._answer(
            {
                **sides,
                "images": images,
                "commits": ["c0ffee1 Be faster"],
                "changes": [{"path": "a", "from": 1, "to": 2, "change": "changed"}],
            },
            "diff",
            left,
            right,
        )

    def logs(self, what: str | None, service: str | None, lines: int) -> object:
        return self._answer([LogEntry("dev", AT, "before 1", "migrated\x1b[2J\nfine")], "logs", what, service, lines)

    def execute(
        self,
        environment: str,
        service: str,
        command: Sequence[str],
        write: WriteLine,
        *,
        replica: int,
        timeout: timedelta,
        host: str | None,
    ) -> object:
        write("stdout", "one\x1b[2J")
        write("stderr", "two")
        ended = execution(environment, service, command, 0)
        return self._answer(ended, "execute", environment, service, list(command), replica, timeout, host)

    def ledger_verify(self) -> object:
        return self._answer(LedgerReport("ledger.db", 4, facts()[-1].digest, None), "ledger_verify")

    def ledger_lines(self) -> Iterator[bytes]:
        return iter([one.line for one in facts()])

    def interrupt(self) -> None:
        self.interrupted += 1


def execution(environment: str, service: str, command: Sequence[str], code: int | None, reason: str | None = None) -> Execution:
    name = f"shop-{environment}-{service}"
    box = Container("c" * 64, name, {}, "running", 0, False, 0, "", None, (), None, {})
    return Execution("shop", environment, service, box, tuple(command), code, reason, fact(Kind.EXECUTED, environment))


def error(message: str, hint: str | None = None, code: int = 1) -> PromoterError:
    made = PromoterError(message, hint=hint)
    made.exit_code = code
    return made
