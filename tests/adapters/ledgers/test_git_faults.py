"""The ledger in Git while others write, while the server refuses, dies or hangs, and after the branch was rewritten."""

import os
import select
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from promoter.adapters.ledgers.git import remote
from promoter.adapters.ledgers.git import store as git_ledger
from promoter.ledger.chain import Fact, FactDraft, Kind, LedgerHead, check_chain, head_of
from promoter.ledger.facts import Pinned
from promoter.ledger.ledger import Ledger
from promoter.ledger.testing import write
from promoter.model.errors import HeadMoved, LeaseHeld, LeaseLost, LedgerError
from tests.adapters.ledgers.git_world import BRANCH, World
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 18, 20, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DRAFT = FactDraft(Kind.STEP_DONE, "ana@example.com", "dev")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


# ---------------------------------------------------------------- many writers
RACE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from promoter.adapters.ledgers.git.store import GitLedger
from promoter.model.errors import HeadMoved
from promoter.ledger.chain import FactDraft, LedgerHead, Kind, head_of
def run(name):
    ledger, done, head = GitLedger("git:promoter-ledger", Path(sys.argv[1]), "shop"), 0, LedgerHead()
    while done < int(sys.argv[3]):
        for fact in ledger.read(head.seq):
            head = head_of(fact)
        try:
            head = head_of(ledger.append(FactDraft(Kind.STEP_DONE, name, body={"n": done}), head, datetime.now(UTC)))
        except HeadMoved:
            continue
        done += 1
with ThreadPoolExecutor(10) as pool:
    list(pool.map(run, [f"{sys.argv[2]}-{n}" for n in range(10)]))
"""


@pytest.mark.slow
def test_fifty_writers_in_five_clones_race_and_lose_nothing(world):
    clones = [world.another(f"clone-{n}") for n in range(5)]
    racers = [
        subprocess.Popen([sys.executable, "-c", RACE, str(clone), clone.name, "1"], env=world.environment) for clone in clones
    ]
    assert [racer.wait(timeout=110) for racer in racers] == [0] * 5
    facts = [fact for fact in check_chain(world.ledger().lines()) if isinstance(fact, Fact)]
    assert len(facts) == len({fact.actor for fact in facts}) == 50
    assert world.git("rev-list", "--count", BRANCH, at=world.origin) == "50"


def test_a_fetch_that_another_local_fetch_blocks_is_retried(world):
    known = write(world.ledger(), 1)
    assert list(world.ledger().read()) == known
    written = write(world.ledger(world.another("elsewhere")), 1)
    (tip,) = (world.clone / ".git/refs/promoter").rglob("tip")
    lock, waits = tip.with_name("tip.lock"), []
    lock.touch()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 12:  # more often than a network failure is retried
            lock.unlink()

    assert list(world.ledger(sleep=sleep).read()) == known + written
    assert len(waits) == 12


def test_writers_in_a_repository_without_a_remote_race_and_lose_nothing(world):
    world.git("remote", "remove", "origin", at=world.clone)
    with ThreadPoolExecutor(8) as pool:
        leases = list(pool.map(lambda n: world.ledger().acquire(f"e{n}", "run", MINUTE, NOW), range(8)))
    assert [lease.token for lease in leases] == [1] * 8
    racer = subprocess.run(
        [sys.executable, "-c", RACE, str(world.clone), "x", "2"], env=world.environment, check=False, timeout=60
    )
    assert racer.returncode == 0
    order: dict[str, list[object]] = {}
    for fact in check_chain(world.ledger().lines()):
        assert isinstance(fact, Fact)
        order.setdefault(fact.actor, []).append(fact.body["n"])
    assert list(order.values()) == [[0, 1]] * 10


def test_of_many_clones_that_want_a_lease_one_gets_it(world):
    clones = [world.another(f"clone-{n}") for n in range(4)]

    def want(clone: Path) -> bool:
        try:
            world.ledger(clone).acquire("prod", clone.name, MINUTE, NOW)
        except LeaseHeld:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(want, clones)) == 1


def test_a_lease_taken_from_another_clone_fails_at_the_next_renewal(world):
    mine, other = world.ledger(), world.ledger(world.another("second"))
    lease = mine.acquire("prod", "run 1", MINUTE, NOW)
    taken = other.acquire("prod", "run 2", MINUTE, NOW + MINUTE)
    assert (taken.token, taken.took_over) == (2, "run 1")
    with pytest.raises(LeaseLost, match="run 2 holds it now"):
        mine.renew(lease, MINUTE, NOW + MINUTE)
    mine.release(lease)
    assert [(held.owner, held.token) for held in mine.held()] == [("run 2", 2)]


def test_a_server_that_denies_every_push_that_is_not_a_fast_forward_takes_leases_too(world):
    for name in ("receive.denyNonFastForwards", "receive.denyDeletes", "receive.fsckObjects"):
        world.git("config", name, "true", at=world.origin)
    ledger = world.ledger()
    write(ledger, 2)
    lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
    ledger.renew(lease, MINUTE, NOW + timedelta(seconds=30))
    ledger.release(lease)
    assert ledger.acquire("prod", "run 2", MINUTE, NOW).token == 2


# ---------------------------------------------------------------- refusals
def hook(world: World, name: str, script: str) -> None:
    path = world.origin / "hooks" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


REFUSALS = {
    "protected": (
        "echo 'error: GH006: Protected branch update failed for refs/heads/x' >&2; exit 1",
        "is on a protected branch",
        "allow this account to push",
    ),
    "hook": (
        "echo 'releases only on Mondays' >&2; exit 1",
        "does not allow this account to push to: .*releases only on Mondays",
        "branch's rule",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_push_that_the_server_refuses_names_the_missing_permission_and_is_not_retried(world, case):
    script, words, remedy = REFUSALS[case]
    written = write(world.ledger(), 1)
    hook(world, "pre-receive", f"echo x >> {world.directory}/tries\n{script}")
    ledger = world.ledger()
    for act in (lambda: write(ledger, 1), lambda: ledger.acquire("prod", "run 1", MINUTE, NOW)):
        with pytest.raises(LedgerError, match=words) as error:
            act()
        assert remedy in (error.value.hint or "")
        assert not error.value.retryable
    assert (world.directory / "tries").read_text() == "x\nx\n"
    assert (list(ledger.read()), ledger.held()) == (written, ())


@pytest.mark.parametrize(
    ("program", "message", "words", "remedy"),
    [
        (
            "receivepack",
            "remote: Permission to o/r.git denied to ana.\\nfatal: The requested URL returned error: 403",
            "may not be written to",
            "contents: write",
        ),
        (
            "receivepack",
            "ERROR: The key you are authenticating with has been marked as read only.",
            "may not be written to",
            "write access",
        ),
        (
            "receivepack",
            "fatal: remote error: access denied or repository not exported: /o.git",
            "does not allow writing",
            "permission to push",
        ),
        ("uploadpack", "git@h: Permission denied (publickey).", "does not accept this ssh key", "ssh-add"),
        ("uploadpack", "Host key verification failed.", "host whose key is not known", "fingerprint"),
        ("uploadpack", "fatal: could not read Username for 'https://h': terminal prompts disabled", "needs credentials", "token"),
        ("uploadpack", "ERROR: Repository not found.", "cannot see", "fix the address"),
    ],
)
def test_server_error_texts_are_mapped_to_a_hint(world, program, message, words, remedy):
    script = world.directory / "program"
    script.write_text(f"#!/bin/sh\nprintf '{message.replace(chr(39), chr(34))}\\n' >&2\nexit 128\n")
    script.chmod(0o755)
    world.git("config", f"remote.origin.{program}", str(script), at=world.clone)
    with pytest.raises(LedgerError, match=words) as error:
        write(world.ledger(), 1)
    assert remedy in (error.value.hint or "")
    assert not error.value.retryable


def test_a_repository_that_is_gone_and_one_that_is_broken(world):
    ledger = world.ledger()
    written = write(ledger, 1)
    world.origin.rename(world.directory / "away.git")
    for act in (lambda: list(ledger.read()), lambda: write(ledger, 1)):
        with pytest.raises(LedgerError, match="does not exist, or that this account cannot see"):
            act()
    (world.directory / "away.git").rename(world.origin)
    assert list(ledger.read()) == written


def test_an_unreachable_host_is_retried_and_then_reported(world):
    waits: list[float] = []
    ledger = world.ledger(url=f"git:{BRANCH}@http://127.0.0.1:9/shop.git", sleep=waits.append)
    with pytest.raises(LedgerError, match="cannot be reached") as error:
        list(ledger.read())
    assert error.value.retryable
    assert len(waits) == 3


def test_a_server_that_hangs_ends_in_a_timeout(world, monkeypatch):
    monkeypatch.setattr(remote, "NETWORK", 0.3)
    script = world.directory / "hang"
    script.write_text(f"#!/bin/sh\necho $$ >> {world.directory}/hung\nexec sleep 1000\n")
    script.chmod(0o755)
    world.git("config", "remote.origin.uploadpack", str(script), at=world.clone)
    with pytest.raises(LedgerError, match=r"cannot be reached: no answer within 0\.3 s"):
        list(world.ledger(sleep=lambda _: None).read())
    assert all(ends(int(pid)) for pid in (world.directory / "hung").read_text().split())


def ends(pid: int) -> bool:
    """Wait until a killed process that is not our child has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


# ---------------------------------------------------------------- lost answers
DIE_ONCE = """[ "$1" = committed ] || exit 0
[ -e {marker} ] && exit 0
touch {marker}
kill -9 $PPID"""


def test_an_append_whose_answer_was_lost_is_written_once(world):
    write(world.ledger(), 1)
    hook(world, "reference-transaction", DIE_ONCE.format(marker=world.directory / "died"))
    ledger = world.ledger()
    head = head_of(next(iter(ledger.read())))
    fact = ledger.append(DRAFT, head, NOW)
    assert (world.directory / "died").exists()
    assert [one.seq for one in ledger.read()] == [1, 2]
    assert ledger.append(DRAFT, head_of(fact), NOW).seq == 3


def test_a_lease_whose_response_was_lost_is_held_and_names_the_earlier_owner(world):
    world.ledger().acquire("prod", "run 1", MINUTE, NOW)
    hook(world, "reference-transaction", DIE_ONCE.format(marker=world.directory / "died"))
    ledger = world.ledger(world.another("second"))
    lease = ledger.acquire("prod", "run 2", MINUTE, NOW + MINUTE)
    assert (world.directory / "died").exists()
    assert (lease.token, lease.took_over) == (2, "run 1")
    ledger.renew(lease, MINUTE, NOW + MINUTE)


def test_a_push_that_died_before_it_was_taken_is_given_again(world):
    write(world.ledger(), 1)
    hook(world, "reference-transaction", DIE_ONCE.format(marker=world.directory / "died").replace("committed", "prepared"))
    ledger = world.ledger(sleep=lambda _: (world.origin / "refs/heads" / f"{BRANCH}.lock").unlink(missing_ok=True))
    assert write(ledger, 1)[0].seq == 2
    assert (world.directory / "died").exists()


def test_a_server_that_never_answers_a_push_ends_in_an_error_and_not_in_a_second_fact(world, monkeypatch):
    monkeypatch.setattr(git_ledger, "_ATTEMPTS", 3)
    written = write(world.ledger(), 1)
    hook(world, "reference-transaction", 'if [ "$1" = prepared ]; then kill -9 $PPID; fi')
    ledger = world.ledger(sleep=lambda _: (world.origin / "refs/heads" / f"{BRANCH}.lock").unlink(missing_ok=True))
    with pytest.raises(LedgerError, match="accepted no fact in 3 attempts") as error:
        write(ledger, 1)
    assert error.value.retryable
    assert list(ledger.read()) == written


# ---------------------------------------------------------------- a changed branch
class Seen:
    def __init__(self) -> None:
        self.head: LedgerHead | None = None

    def seen(self) -> LedgerHead | None:
        return self.head

    def entries(self) -> dict[str, LedgerHead]:
        return {}

    def policy_ref(self) -> str | None:
        return None

    def note(self, head: LedgerHead, chain: str | None = None, policy_ref: str | None = None) -> None:
        self.head = head


@pytest.mark.parametrize("to", ["older", "gone", "other"])
def test_a_branch_that_was_put_back_deleted_or_rewritten_is_noticed(world, to):
    ledger, seen = world.ledger(), Seen()
    Ledger(ledger, FakeClock(NOW), "ana@example.com", seen).append(Pinned(reason="x"), "dev")
    Ledger(ledger, FakeClock(NOW), "ana@example.com", seen).append(Pinned(reason="x"), "dev")
    if to == "older":
        world.git("update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~1", at=world.origin)
    else:
        world.git("update-ref", "-d", f"refs/heads/{BRANCH}", at=world.origin)
    if to == "other":
        write(world.ledger(world.another("second")), 3)
    with pytest.raises(LedgerError, match="this machine has seen 2 facts"):
        Ledger(world.ledger(), FakeClock(NOW), "ana@example.com", seen).refresh()
    with pytest.raises(HeadMoved):
        ledger.append(DRAFT, seen.head or LedgerHead(), NOW)


def test_a_line_that_was_edited_on_the_branch_is_named(world):
    write(world.ledger(), 3)
    clone = world.another("forger", f"--branch={BRANCH}")
    path = clone / "shop/0000/00/00000002.json"
    path.write_text(path.read_text().replace("ana@example.com", "eve@example.com"))
    world.git("commit", "--quiet", "-am", "Nothing to see", at=clone)
    world.git("push", "--quiet", at=clone)
    with pytest.raises(LedgerError, match="is broken: fact 3: fact 3 must name"):
        list(world.ledger().read())


def test_a_corrupted_lease_raises_with_its_ref(world):
    ledger = world.ledger()
    ledger.acquire("prod", "run 1", MINUTE, NOW)
    world.git("update-ref", "refs/promoter/leases/shop/prod", "main", at=world.origin)
    with pytest.raises(LedgerError, match=r"lease of prod .* cannot be read: 'Begin'") as error:
        ledger.held()
    assert "refs/promoter/leases/shop/prod" in (error.value.hint or "")


def test_a_file_instead_of_the_fact_directory_is_refused(world):
    clone = world.clone
    world.git("checkout", "--quiet", "--orphan", BRANCH, at=clone)
    (clone / "shop").write_text("a file\n")
    world.git("add", "shop", at=clone)
    world.git("commit", "--quiet", "-m", "A file", at=clone)
    world.git("push", "--quiet", "origin", BRANCH, at=clone)
    with pytest.raises(LedgerError, match="is a blob in this repository, not a tree"):
        list(world.ledger().read())
