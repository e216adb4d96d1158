from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, head_of, seal
from promoter.ledger.deployment import Running
from promoter.ledger.reducer import fold
from promoter.ledger.state import EMPTY, EnvironmentState, Hold, State
from promoter.ledger.table import PersistentTable
from promoter.model.errors import LedgerError
from promoter.model.images import Digest, ImageRef, Repository
from promoter.model.release import Release, Source

START = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
SALT = "5a" * 16
DIGESTS = {name: f"sha256:{name * 64}" for name in "abc"}
RELEASES = {
    name: Release({"web": ImageRef(Repository("127.0.0.1:5000", "web"), Digest.parse(digest))}, Source(sha=name * 40))
    for name, digest in DIGESTS.items()
}
A, B, C = (RELEASES[name].id for name in "abc")


class Story:
    """A growing ledger with one fact a minute. Facts that must come before are added first, unless it is `bare`."""

    def __init__(self, *, bare: bool = False) -> None:
        self.facts: list[Fact] = []
        self._bare = bare
        self._started: dict[str | None, tuple[object, object]] = {}

    def emit(self, kind: Kind, environment: str | None = None, release: str | None = None, **body: object) -> Fact:
        if not self._bare:
            self._before(kind, environment, release, body)
        return self._append(kind, environment, release, **body)

    def _before(self, kind: Kind, environment: str | None, release: str | None, body: Mapping[str, object]) -> None:
        made = {fact.release for fact in self.facts if fact.kind is Kind.RELEASED}
        for one in RELEASES.values():
            if kind is not Kind.RELEASED and one.id in (release, body.get("from_"), body.get("to")) and one.id not in made:
                self._append(Kind.RELEASED, None, one.id, content=one.content())
        started = self._started.get(environment, (None, None))
        wanted = (body.get("promotion", started[0]), release or started[1])
        if kind in (Kind.STEP_DONE, Kind.PROMOTED, Kind.FAILED, Kind.ROLLED_BACK) and started != wanted:
            self._append(
                Kind.STARTED,
                environment,
                release or A,
                plan_digest="p1",
                promotion=body["promotion"],
                approvals=[],
                from_=None,
                mend=False,
            )

    def _append(self, kind: Kind, environment: str | None = None, release: str | None = None, **body: object) -> Fact:
        head = head_of(self.facts[-1]) if self.facts else LedgerHead()
        body = {key.rstrip("_"): value for key, value in body.items()}
        fact = seal(FactDraft(kind, "ana@example.com", environment, release, body), head, START + timedelta(minutes=head.seq + 1))
        self.facts.append(fact)
        if kind is Kind.STARTED:
            self._started[environment] = (body["promotion"], release)
        elif kind in (Kind.PROMOTED, Kind.FAILED, Kind.ROLLED_BACK):
            self._started.pop(environment, None)
        return fact

    @property
    def state(self) -> State:
        """Return the state folded at once, after comparing it with the state folded fact by fact."""
        whole, grown = fold(self.facts), EMPTY
        for fact in self.facts:
            grown = fold((fact,), grown)
        assert grown == whole
        return whole

    def at(self, environment: str) -> EnvironmentState:
        return self.state.environment(environment)

    def released(self, name: str, **more: object) -> Fact:
        return self.emit(Kind.RELEASED, release=RELEASES[name].id, content=RELEASES[name].content(), **more)

    def requested(self, release: str, environment: str = "prod", plan: str = "p1", from_: str | None = None) -> Fact:
        return self.emit(
            Kind.REQUESTED,
            environment,
            release,
            plan_digest=plan,
            plan={"steps": []},
            from_=from_,
            policy_digest="policy",
            requested_by="ana@example.com",
            reason_code="approvals_missing",
            reasons=["0 of 1 approvals"],
        )

    def started(
        self, release: str, promotion: str, environment: str = "prod", plan: str = "p1", votes=(), mend: bool = False
    ) -> Fact:
        lease = {"owner": "run 1", "token": 1, "took_over": None}
        return self.emit(
            Kind.STARTED,
            environment,
            release,
            plan_digest=plan,
            promotion=promotion,
            approvals=list(votes),
            from_=None,
            mend=mend,
            lease=lease,
        )

    def step(self, promotion: str, step: str, environment: str = "prod") -> Fact:
        return self.emit(Kind.STEP_DONE, environment, None, promotion=promotion, step=step, detail={})

    def promoted(self, release: str, promotion: str, environment: str = "prod", plan: str = "p1", **more: object) -> Fact:
        services = {"web": {"digest": DIGESTS["a"], "containers": [f"container of {promotion}"]}}
        body = {"plan_digest": plan, "promotion": promotion, "services": services, "gap_ms": 3, "duration_ms": 5, "from": None}
        return self.emit(Kind.PROMOTED, environment, release, **{**body, "mend": False, **more})

    def failed(self, release: str, promotion: str, environment: str = "prod", **more: object) -> Fact:
        body = {"plan_digest": "p1", "promotion": promotion, "reason_code": "unhealthy", "reasons": ["no"], "evidence": []}
        return self.emit(Kind.FAILED, environment, release, **body, **more)

    def rolled_back(self, release: str, promotion: str, to: str | None, environment: str = "prod", **more: object) -> Fact:
        body = {"plan_digest": "p1", "promotion": promotion, "reason_code": "unhealthy", "reasons": ["no"], "to": to}
        return self.emit(Kind.ROLLED_BACK, environment, release, **body, **more)

    def voted(self, release: str, kind: Kind = Kind.APPROVED, environment: str = "prod", **more: object) -> Fact:
        body = {
            "plan_digest": "p1",
            "from": None,
            "policy_digest": "policy",
            "principal": "ben@example.com",
            "role": "release-manager",
            "grade": "asserted",
            "comment": "fine",
            "expires_at": "2026-11-24T18:00:00.000000Z",
        }
        return self.emit(kind, environment, release, **{**body, **more})


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_ledger_is_known_by_the_digest_of_its_first_fact(story):
    first = story.released("a", salt=SALT)
    assert EMPTY.chain is None
    assert story.state.chain == first.digest
    story.released("b")
    assert story.state.chain == first.digest


# ---------------------------------------------------------------- releases
def test_no_facts_give_the_empty_state():
    assert fold([]) is EMPTY
    assert EMPTY.newest() is None
    assert EMPTY.environment("prod") == EnvironmentState()


def test_releases_are_in_the_order_of_their_facts(story):
    first = story.released("a", salt=SALT, tags={"web": "v1"})
    story.released("b")
    state = story.state
    assert list(state.releases) == [A, B]
    assert state.newest().release == RELEASES["b"]
    assert state.salt == SALT
    record = state.releases[A]
    assert (record.release, record.at, record.seq, record.actor) == (RELEASES["a"], first.at, 1, "ana@example.com")
    assert record.tags == {"web": "v1"}
    assert state.head == head_of(story.facts[-1])


def test_a_release_made_again_is_the_newest_and_keeps_its_first_time(story):
    story.released("a", salt=SALT)
    story.released("b", salt="ff")
    story.released("a")
    assert list(story.state.releases) == [B, A]
    assert story.state.newest().seq == 1
    assert story.state.salt == SALT


def test_releases_are_found_by_how_they_begin(story):
    story.released("a")
    story.released("b")
    assert [r.release.id for r in story.state.matching(A[:12])] == [A]
    assert len(story.state.matching("")) == 2
    assert story.state.matching("x") == ()


# ---------------------------------------------------------------- requests and votes
def test_a_request_is_open_until_its_plan_starts(story):
    fact = story.requested(A)
    request = story.at("prod").request
    assert (request.release, request.plan_digest, request.seq, request.plan) == (A, "p1", fact.seq, {"steps": []})
    assert (request.reason_code, request.reasons, request.from_release) == ("approvals_missing", ("0 of 1 approvals",), None)
    story.started(B, "other", plan="p2")
    assert story.at("prod").request == request
    story.started(A, "one")
    assert story.at("prod").request is None


def test_a_newer_request_replaces_an_older(story):
    story.requested(A)
    story.requested(B, plan="p2")
    assert story.at("prod").request.release == B


def test_a_request_ends_when_another_release_arrives(story):
    story.requested(A)
    story.started(B, "two", plan="p2")
    story.promoted(B, "two", plan="p2")
    assert story.at("prod").request is None


def test_a_vote_has_every_field_that_gates_need(story):
    fact = story.voted(A)
    (vote,) = story.at("prod").votes_for(A)
    assert story.at("prod").votes_for(B) == ()
    assert (vote.decision, vote.principal, vote.role, vote.grade, vote.comment) == (
        "approve",
        "ben@example.com",
        "release-manager",
        "asserted",
        "fine",
    )
    assert (vote.environment, vote.release, vote.plan_digest, vote.from_release, vote.policy_digest) == (
        "prod",
        A,
        "p1",
        None,
        "policy",
    )
    assert (vote.digest, vote.seq, vote.at) == (fact.digest, fact.seq, fact.at)
    assert vote.expires_at == datetime(2026, 11, 24, 18, tzinfo=UTC)
    story.voted(A, Kind.REJECTED, expires_at=None, comment=None, role=None)
    no = story.at("prod").votes_for(A)[1]
    assert (no.decision, no.expires_at, no.comment, no.role) == ("reject", None, "", None)


def test_a_start_uses_votes_for_all_other_promotions(story):
    vote = story.voted(A)
    story.started(A, "one", votes=[vote.digest])
    entry = story.at("prod")
    assert entry.start.consumed == (vote.digest,)
    votes = entry.votes_for(A)
    assert entry.used_by_others(votes, "one") == frozenset()
    assert entry.used_by_others(votes, "two") == {vote.digest}
    story.promoted(A, "one")
    assert story.at("prod").used_by_others(votes, "two") == {vote.digest}
    story.started(A, "two", votes=[vote.digest])
    assert story.at("prod").used_by_others(votes, "two") == {vote.digest}, "the first user keeps it"


# ---------------------------------------------------------------- promotions
def test_a_promotion_arrives(story):
    story.started(A, "one")
    story.step("one", "pull web")
    story.step("one", "replace web")
    assert story.at("prod").start.steps_done == ("pull web", "replace web")
    assert story.at("prod").current is None
    fact = story.promoted(A, "one", engine={"fingerprint": "F", "name": "n", "version": "v"})
    entry = story.at("prod")
    assert entry.start is None
    assert entry.verified.values() == [entry.current]
    current = entry.current
    assert (current.release, current.plan_digest, current.promotion, current.at, current.seq) == (
        A,
        "p1",
        "one",
        fact.at,
        fact.seq,
    )
    assert current.services == {"web": Running(DIGESTS["a"], ("container of one",))}
    assert (current.mend, current.rollback, current.engine) == (False, False, "F")
    assert (entry.since, entry.ended_seq) == (fact.at, fact.seq)


def test_what_was_cut_off_goes_on_where_it_was(story):
    story.started(A, "one")
    story.step("one", "before 1")
    story.started(A, "one")
    assert story.at("prod").start.steps_done == ("before 1",)
    story.started(B, "two")
    assert story.at("prod").start.steps_done == ()


def test_a_run_that_lost_its_lease_does_not_end_anothers_promotion():
    story = Story(bare=True)
    story.released("a")
    story.released("b")
    story.started(A, "one")
    story.started(B, "two")
    late = story.failed(A, "one")
    assert story.at("prod").start.promotion == "two"
    assert story.state.impossible.get(str(late.seq)) == "promotion one is not running in prod"


def test_a_failure_leaves_what_runs_and_restarts_its_stay(story):
    story.promoted(A, "one")
    story.started(B, "two")
    fact = story.failed(B, "two")
    entry = story.at("prod")
    assert (entry.current.release, entry.since, entry.start, entry.ended_seq) == (A, fact.at, None, fact.seq)
    failure = entry.last_failure
    assert (failure.kind, failure.release, failure.reason_code, failure.reasons, failure.seq) == (
        Kind.FAILED,
        B,
        "unhealthy",
        ("no",),
        fact.seq,
    )


def test_a_failure_of_the_first_release_leaves_nothing(story):
    story.failed(A, "one")
    assert (story.at("prod").current, story.at("prod").since, list(story.at("prod").verified)) == (None, None, [])


def test_a_failed_release_that_was_not_removed_ends_the_stay(story):
    story.promoted(A, "one")
    story.failed(B, "two", left=True)
    assert (story.at("prod").current.release, story.at("prod").since) == (A, None)


def test_after_going_back_the_earlier_one_runs_in_its_read_back_containers(story):
    first = story.promoted(A, "one")
    story.started(B, "two")
    fact = story.rolled_back(B, "two", A, services={"web": {"digest": DIGESTS["a"], "containers": ["put back"]}})
    entry = story.at("prod")
    assert entry.current == replace(entry.verified.values()[0], services={"web": Running(DIGESTS["a"], ("put back",))})
    assert (entry.current.seq, entry.since, entry.last_failure.kind, entry.start) == (first.seq, fact.at, Kind.ROLLED_BACK, None)
    assert [d.release for d in entry.verified.values()] == [A]


def test_going_back_to_nothing_leaves_nothing(story):
    story.started(A, "one")
    story.rolled_back(A, "one", None)
    assert (story.at("prod").current, story.at("prod").since) == (None, None)


def test_a_rollback_to_an_unverified_release_is_accepted_and_matches_no_plan(story):
    story.rolled_back(B, "two", A)
    assert (story.at("prod").current.release, story.at("prod").current.plan_digest) == (A, "")


def test_a_repair_is_another_stay_of_the_same(story):
    story.promoted(A, "one")
    story.started(A, "one", mend=True)
    assert story.at("prod").start.mend
    fact = story.promoted(A, "one", mend=True)
    entry = story.at("prod")
    assert entry.current.mend and entry.since == fact.at


def test_environments_do_not_mix(story):
    story.promoted(A, "one", "dev")
    story.promoted(B, "two", "test")
    assert list(story.state.environments) == ["dev", "test"]
    assert (story.at("dev").current.release, story.at("test").current.release) == (A, B)


# ---------------------------------------------------------------- the earlier release
def way(story: Story, *moves: str) -> None:
    """`A` is a promotion of A, `<A` a rollback to A."""
    for number, move in enumerate(moves):
        release = {"A": A, "B": B, "C": C}[move[-1]]
        story.promoted(release, f"promotion {number}", rollback=move.startswith("<"))


@pytest.mark.parametrize(
    ("moves", "release", "target"),
    [
        ([], A, None),
        (["A"], A, None),
        (["A"], B, A),
        (["A", "B"], B, A),
        (["A", "A"], A, None),
        (["A", "B", "B"], B, A),
        (["A", "B", "A"], A, B),
        (["A", "B", "C"], C, B),
        (["A", "B", "C", "<B"], B, A),
        (["A", "B", "C", "<A"], A, None),
        (["A", "B", "C", "<B", "<A"], A, None),
        (["A", "B", "<A", "C"], C, A),
        (["A", "B", "<A", "B"], B, A),
        (["B", "<A"], A, None),
    ],
)
def test_a_rollback_never_goes_to_what_was_rolled_back_from(story, moves, release, target):
    way(story, *moves)
    found = story.state.last_verified_before("prod", release)
    assert (found.release if found else None) == target


def test_a_rollback_passes_what_was_vetoed(story):
    for name in "abc":
        story.released(name)
    way(story, "A", "B", "C")
    assert story.state.last_verified_before("prod", C).release == B
    story.emit(Kind.VETOED, release=B, reason="leak")
    assert story.state.last_verified_before("prod", C).release == A
    story.emit(Kind.VETOED, release=C, reason="base", digests=[DIGESTS["a"]])
    assert story.state.last_verified_before("prod", C) is None
    assert {what: mark.reason for what, mark in story.state.vetoed.items()} == {B: "leak", C: "base", DIGESTS["a"]: "base"}


def test_what_runs_there_drifted_and_the_stay_restarts(story):
    story.promoted(A, "one")
    drifted = story.emit(Kind.DRIFTED, "prod", A)
    assert story.at("prod").since == drifted.at
    story.emit(Kind.DRIFTED, "test", A)
    assert story.at("test").since is None


def test_status_of_a_pinned_and_frozen_environment_has_both_reasons(story):
    story.emit(Kind.PINNED, "prod", reason="watched")
    story.emit(Kind.FROZEN, reason="holidays")
    entry = story.at("prod")
    assert (entry.pinned.reason, entry.frozen.reason) == ("watched", "holidays")


# ---------------------------------------------------------------- pins and freezes
def test_a_pin_holds_until_it_is_taken_out(story):
    fact = story.emit(Kind.PINNED, "prod", reason="demo")
    assert story.at("prod").pinned == Hold("demo", "ana@example.com", fact.at, 1)
    assert story.at("test").pinned is None
    story.emit(Kind.UNPINNED, "prod", reason="over")
    assert story.at("prod").pinned is None


def test_a_freeze_applies_to_one_environment_or_to_all(story):
    story.emit(Kind.FROZEN, "prod", reason="audit")
    story.emit(Kind.FROZEN, reason="year end")
    assert story.at("prod").frozen.reason == "audit"
    assert story.at("never heard of").frozen.reason == "year end"
    story.emit(Kind.UNFROZEN, reason="new year")
    assert story.at("test").frozen is None
    assert story.at("prod").frozen.reason == "audit"
    story.emit(Kind.UNFROZEN, "prod", reason="passed")
    assert story.at("prod").frozen is None


def test_kinds_that_change_nothing_move_the_head():
    story = Story(bare=True)
    story.emit(Kind.ATTESTED, "prod", A)
    assert replace(story.state, head=LedgerHead(), chain=None) == EMPTY
    assert story.state.head == head_of(story.facts[0])


# ---------------------------------------------------------------- the fold itself
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.PROMOTED, {"plan_digest": "p"}),
        (Kind.PROMOTED, {"plan_digest": "p", "promotion": "x", "services": ["web"], "mend": False}),
        (Kind.RELEASED, {"content": {"images": {"web": {"repository": "Bad Name", "digest": "none"}}, "source": {}}}),
        (Kind.RELEASED, {"content": {"images": [], "source": {}}}),
        (Kind.STARTED, {"plan_digest": 7, "promotion": "x", "approvals": [], "mend": False}),
        (Kind.STARTED, {"plan_digest": "p", "promotion": "x", "approvals": "none", "mend": False}),
        (Kind.PINNED, {}),
    ],
)
def test_a_fact_with_missing_fields_is_reported(kind, body):
    story = Story()
    if kind is not Kind.RELEASED:
        story.started(A, "x")
    fact = story.emit(kind, "prod", A, **body)
    with pytest.raises(LedgerError) as error:
        fold(story.facts)
    assert f"fact {fact.seq} ({kind})" in error.value.message


MOVES = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from("abc"), st.sampled_from(["dev", "prod"]), st.sampled_from(["one", "two"]))
)


def grown(moves) -> Story:
    story = Story()
    for move, name, environment, promotion in moves:
        go_on(story, move, name, environment, promotion)
    return story


def go_on(story: Story, move: int, name: str, environment: str, promotion: str) -> None:
    release = RELEASES[name].id
    votes = [fact.digest for fact in story.facts if fact.kind is Kind.APPROVED][-1:]
    [
        lambda: story.released(name, salt=SALT),
        lambda: story.requested(release, environment),
        lambda: story.voted(release, Kind.APPROVED, environment),
        lambda: story.voted(release, Kind.REJECTED, environment),
        lambda: story.started(release, promotion, environment, votes=votes),
        lambda: story.step(promotion, "step one", environment),
        lambda: story.step(promotion, "step two", environment),
        lambda: story.promoted(release, promotion, environment),
        lambda: story.failed(release, promotion, environment),
        lambda: story.rolled_back(release, promotion, release, environment),
        lambda: story.emit(Kind.PINNED, environment, reason="demo"),
        lambda: story.emit(Kind.FROZEN, None if name == "a" else environment, reason="demo"),
        lambda: story.emit(Kind.VETOED, release=release, reason="leak"),
    ][move]()


@given(MOVES, st.data())
def test_folding_in_parts_is_folding_at_once(moves, data):
    facts = grown(moves).facts
    cut = data.draw(st.integers(0, len(facts)))
    first = fold(facts[:cut])
    before = repr(first)
    assert fold(facts[cut:], first) == fold(facts)
    assert repr(first) == before, "a state never changes after it was made"


@given(MOVES)
def test_folding_one_by_one_is_folding_at_once(moves):
    facts = grown(moves).facts
    state = EMPTY
    for fact in facts:
        state = fold([fact], state)
    assert state == fold(facts)


def test_a_long_ledger_folds_in_proportion(story):
    """50 times as many facts take at most 200 times as long, which allows for a busy machine."""
    story.released("a", salt=SALT)
    vote = story.voted(A)
    for fact_of in (
        lambda: story.started(A, "one", votes=[vote.digest]),
        lambda: story.step("one", "pull"),
        lambda: story.promoted(A, "one"),
    ):
        fact_of()
    short = story.facts * 200
    long = story.facts * 10_000
    assert seconds(long) < 50 * 4 * max(seconds(short) for _ in range(3))


def seconds(facts) -> float:
    started = process_time()
    fold(facts)
    return process_time() - started


class Long:
    """A table too large to be searched completely."""

    def get(self, key: str) -> str | None:
        return None

    def backwards(self) -> Iterator[tuple[str, str]]:
        raise AssertionError("all of them were looked through")

    def starting_with(self, prefix: str) -> Iterator[tuple[str, str]]:
        raise AssertionError("all of them were looked through")


def test_an_attempt_without_changes_returns_its_own_votes_only() -> None:
    """Also the votes of its start before it was interrupted and continued."""
    story = Story()
    story.released("a")
    story.started(A, "first", votes=["sha256:1", "sha256:2"])
    story.started(A, "first", votes=["sha256:2"])
    before = story.state
    prod = before.environment("prod")
    assert [prod.consumed.get(vote) for vote in ("sha256:1", "sha256:2")] == ["first", "first"]
    many = replace(prod, consumed=PersistentTable(Long(), {key: prod.consumed.get(key) for key in ("sha256:1", "sha256:2")}))
    failed = story.failed(A, "first", touched=False)
    after = fold((failed,), replace(before, environments={**before.environments, "prod": many})).environment("prod")
    assert [after.consumed.get(vote) for vote in ("sha256:1", "sha256:2")] == [None, None]
