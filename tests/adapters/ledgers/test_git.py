"""The ledger on a branch of a real Git repository: what every ledger promises, and effects that only git has on it."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from promoter.adapters.ledgers.git.store import GitLedger
from promoter.adapters.ledgers.git.tree import path_of
from promoter.ledger.chain import FactDraft, Kind, head_of
from promoter.ledger.testing import LedgerContract, write
from promoter.model.errors import CallerError, LedgerError
from tests.adapters.ledgers.git_world import BRANCH, World

NOW = datetime(2026, 11, 23, 18, 20, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


class TestOnARemote(LedgerContract):
    @pytest.fixture
    def ledger(self, world: World) -> GitLedger:
        return world.ledger()


class TestWithoutARemote(LedgerContract):
    @pytest.fixture
    def ledger(self, world: World) -> GitLedger:
        world.git("remote", "remove", "origin", at=world.clone)
        return world.ledger()


# ---------------------------------------------------------------- the disk
@pytest.mark.parametrize("where", ["here", "by path"])
def test_what_is_answered_is_on_the_disk_where_the_disk_is_ours(world, where):
    """Git itself leaves loose objects in memory until they are written: a power cut loses them, and breaks the branch."""
    if where == "here":
        world.git("remote", "remove", "origin", at=world.clone)
    home, url = (world.clone / ".git", f"git:{BRANCH}") if where == "here" else (world.origin, f"git:{BRANCH}@{world.origin}")
    write(world.ledger(url=url), 1)
    before = set(home.glob("objects/??/*"))
    trace = world.directory / "trace"
    world.environment["GIT_TRACE2_EVENT"] = str(trace)
    head = head_of(next(iter(world.ledger(url=url).read())))
    trace.write_text("")
    world.ledger(url=url).append(FactDraft(Kind.STEP_DONE, "ana@example.com"), head, NOW)
    new = set(home.glob("objects/??/*")) - before
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    keeper = {"unpack-objects", "receive-pack"}  # those of the server, if there is one
    names = {event["sid"]: event["name"] for event in events if event["event"] == "cmd_name"}
    flushed = [e for e in events if e.get("category") == "fsync" and (where == "here" or names[e["sid"]] in keeper)]
    assert len(new) >= 5
    assert sum(int(event["value"]) for event in flushed) >= len(new)


# ---------------------------------------------------------------- the user's repository
def test_reading_makes_nothing(world):
    before = world.snapshot(world.clone)
    assert (list(world.ledger().read()), list(world.ledger().lines()), world.ledger().held()) == ([], [], ())
    assert world.snapshot(world.clone) == before
    assert world.git("for-each-ref", "refs/promoter", at=world.clone) == ""


def test_index_branches_hooks_and_work_tree_stay_as_they_are(world):
    (world.clone / "Dockerfile").write_text("FROM busybox\n")
    (world.clone / "new").write_text("not added\n")
    world.git("add", "Dockerfile", at=world.clone)
    hooks = world.clone / ".git/hooks"
    for name in ("pre-push", "reference-transaction", "post-checkout", "pre-commit"):
        (hooks / name).write_text("#!/bin/sh\necho hooked >&2\ntouch ../hooked hooked\nexit 1\n")
        (hooks / name).chmod(0o755)
    before = world.snapshot(world.clone)
    ledger = world.ledger()
    write(ledger, 3)
    ledger.release(ledger.acquire("prod", "run 1", MINUTE, NOW))
    assert len(list(ledger.read())) == 3
    assert world.snapshot(world.clone) == before
    assert not list(world.directory.rglob("hooked"))


def test_awkward_configuration_of_the_user_changes_nothing(world):
    for name, value in {
        "push.gpgSign": "true",
        "push.followTags": "true",
        "push.default": "nothing",
        "core.autocrlf": "true",
        "fetch.prune": "true",
        "fetch.recurseSubmodules": "true",
        "push.recurseSubmodules": "check",
        "core.logAllRefUpdates": "always",
        "transfer.fsckObjects": "true",
        "remote.pushDefault": "elsewhere",
        "i18n.commitEncoding": "ISO-8859-1",
        "core.quotePath": "true",
        "log.showSignature": "true",
        "color.ui": "always",
        "user.useConfigOnly": "true",
    }.items():
        world.configure(name, value)
    ledger = world.ledger()
    written = write(ledger, 2, "zoë@example.com")
    lease = ledger.acquire("prod", "run zoë", MINUTE, NOW)
    assert ledger.held()[0].owner == lease.owner
    assert list(world.ledger(world.another("second")).read()) == written


def test_works_in_a_shallow_clone_of_one_branch_with_a_detached_head(world):
    written = write(world.ledger(), 3)
    clone = world.another("shallow", "--depth=1", "--single-branch", "--branch=main")
    world.git("checkout", "--quiet", "--detach", at=clone)
    ledger = world.ledger(clone)
    assert list(ledger.read()) == written
    more = write(ledger, 2)
    lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
    ledger.renew(lease, MINUTE, NOW)
    assert list(world.ledger().read()) == [*written, *more]
    assert world.git("rev-list", "--count", BRANCH, at=world.origin) == "5"
    assert world.git("rev-list", "--count", "HEAD", at=clone) == "1"


def test_a_whole_clone_does_not_become_a_shallow_one(world):
    write(world.ledger(world.another("second")), 2)
    assert len(list(world.ledger().read())) == 2
    assert world.git("rev-parse", "--is-shallow-repository", at=world.clone) == "false"


def test_works_in_a_worktree_and_in_a_directory_of_it(world):
    tree = world.directory / "tree"
    world.git("worktree", "add", "--quiet", "--detach", str(tree), at=world.clone)
    (tree / "deploy").mkdir()
    written = write(world.ledger(tree / "deploy"), 2)
    assert list(world.ledger().read()) == written


def test_a_machine_without_a_name_for_git_commits_as_promoter(world):
    (world.directory / "home/.gitconfig").write_text("[user]\nuseConfigOnly = true\n")
    write(world.ledger(), 1)
    assert world.git("log", "--format=%an <%ae>", BRANCH, at=world.origin) == "promoter <promoter@localhost>"


# ---------------------------------------------------------------- what is on the branch
def test_a_commit_a_fact_and_a_file_with_its_exact_line(world):
    written = write(world.ledger(), 3)
    log = world.git("log", "--format=%an %cI %s", BRANCH, at=world.origin).splitlines()
    assert log[0] == "Ana 2026-11-23T18:20:11+00:00 shop: step_done in dev (fact 3)"
    assert len(log) == 3
    shown = world.git("show", f"{BRANCH}:shop/0000/00/00000002.json", at=world.origin)
    assert shown.encode() == written[1].line
    assert world.git("fsck", "--strict", at=world.origin) == ""


def test_facts_go_on_over_the_borders_of_directories(world, monkeypatch):
    monkeypatch.setattr("promoter.adapters.ledgers.git.tree._SPANS", (4, 2, 1))
    monkeypatch.setattr(
        "promoter.adapters.ledgers.git.tree.path_of", lambda seq: (f"{seq // 4}", f"{seq // 2 % 2}", f"{seq}.json")
    )
    ledger = world.ledger()
    written = write(ledger, 13)
    for after in range(14):
        assert list(ledger.read(after)) == written[after:]


def test_paths_keep_the_order_of_numbers():
    assert path_of(1_234_567) == ("0123", "45", "01234567.json")
    paths = [path_of(seq) for seq in (1, 99, 100, 9_999, 10_000, 999_999, 1_000_000, 99_999_999)]
    assert paths == sorted(paths)


def test_what_else_is_on_the_branch_stays(world):
    for command in (
        ("checkout", "--quiet", "--orphan", BRANCH),
        ("rm", "-rq", "--cached", "."),
        ("add", "README.md", "shop-x", "shop.txt"),
        ("commit", "--quiet", "-m", "Say what this is"),
        ("push", "--quiet", "origin", BRANCH),
        ("checkout", "--quiet", "-f", "main"),
    ):
        for name in ("README.md", "shop-x", "shop.txt"):
            (world.clone / name).write_text("# Facts\n")
        world.git(*command, at=world.clone)
    write(world.ledger(), 1)
    assert world.git("ls-tree", "-r", "--name-only", BRANCH, at=world.origin).splitlines() == [
        "README.md",
        "shop-x",
        "shop.txt",
        "shop/0000/00/00000001.json",
    ]
    world.git("fsck", "--strict", at=world.origin)


def test_two_pipelines_have_two_chains_on_one_branch(world):
    shop, blog = world.ledger(), world.ledger(world.another("second"), pipeline="blog")
    for _ in range(2):  # each has seen the branch before the other wrote to it
        write(shop, 2)
        write(blog, 1)
    assert [fact.seq for fact in shop.read()] == [1, 2, 3, 4]
    assert [fact.seq for fact in blog.read()] == [1, 2]
    shop.acquire("prod", "run 1", MINUTE, NOW)
    assert blog.acquire("prod", "run 2", MINUTE, NOW).token == 1
    assert shop.location != blog.location


def test_commits_are_signed_when_git_is_configured_to_sign(world):
    key = world.directory / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (world.directory / "signers").write_text(f"ana@example.com {key.with_suffix('.pub').read_text()}")
    world.configure("commit.gpgSign", "true")
    world.configure("gpg.format", "ssh")
    world.configure("user.signingKey", str(key))
    world.configure("gpg.ssh.allowedSignersFile", str(world.directory / "signers"))
    ledger = world.ledger()
    write(ledger, 2)
    ledger.acquire("prod", "run 1", MINUTE, NOW)
    for commit in world.git("rev-list", BRANCH, at=world.origin).splitlines():
        world.git("verify-commit", commit, at=world.origin)
    key.unlink()
    with pytest.raises(LedgerError, match=r"needs a signed commit, and signing failed: .*key") as error:
        write(ledger, 1)
    assert "commit.gpgSign" in (error.value.hint or "")
    assert len(list(ledger.read())) == 2


# ---------------------------------------------------------------- the address of the ledger
def test_another_repository_by_path_by_address_and_by_the_name_of_a_remote(world):
    world.git("init", "--quiet", "--bare", "facts.git")
    world.git("remote", "add", "facts", str(world.directory / "facts.git"), at=world.clone)
    written = write(world.ledger(url=f"git:{BRANCH}@../facts.git"), 2)
    for where in ("facts", f"file://{world.directory}/facts.git", f"{world.directory}/facts.git"):
        assert list(world.ledger(url=f"git:{BRANCH}@{where}").read()) == written
    assert list(world.ledger().read()) == []


def test_a_pipeline_file_in_no_repository(world):
    plain = world.directory / "plain"
    plain.mkdir()
    ledger = world.ledger(plain, url=f"git:{BRANCH}@../origin.git")
    assert (list(ledger.read()), ledger.held(), list(plain.iterdir())) == ([], (), [])
    written = write(ledger, 2)
    lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
    ledger.release(lease)
    assert list(world.ledger().read()) == written
    other = world.directory / "other"
    other.mkdir()
    assert list(world.ledger(other, url=f"git:{BRANCH}@../origin.git").read()) == written
    with pytest.raises(CallerError, match="is not in a repository"):
        list(world.ledger(plain).read())


def test_of_several_remotes_it_is_origin_and_never_a_guess(world):
    world.git("remote", "add", "fork", str(world.directory / "fork.git"), at=world.clone)
    written = write(world.ledger(), 1)
    world.git("remote", "rename", "origin", "upstream", at=world.clone)
    with pytest.raises(CallerError, match="fork, upstream") as error:
        list(world.ledger().read())
    assert f"git:{BRANCH}@fork" in (error.value.hint or "")
    assert list(world.ledger(url=f"git:{BRANCH}@upstream").read()) == written


@pytest.mark.parametrize(
    "url",
    [
        "git:@origin",
        "git:-f",
        "git:a..b",
        "git:a b",
        "git:a.lock",
        "git:a/",
        "git:x@--upload-pack=touch",
        "git:x@a\nb",
    ],
)
def test_what_is_no_branch_is_refused_when_it_is_written(world, url):
    with pytest.raises(CallerError, match="names no branch"):
        world.ledger(url=url)


def test_an_address_that_is_neither_remote_nor_directory_is_refused(world):
    with pytest.raises(CallerError, match="is not a remote, a directory or an address; its remotes are origin"):
        list(world.ledger(url=f"git:{BRANCH}@orign").read())


def test_credentials_in_an_address_are_never_shown(world):
    ledger = world.ledger(url=f"git:{BRANCH}@https://ana:secret@127.0.0.1:9/shop.git")
    assert "secret" not in ledger.location
    with pytest.raises(LedgerError) as error:
        list(ledger.read())
    assert "secret" not in f"{error.value} {error.value.hint}"


def test_a_checked_out_branch_is_not_written(world):
    world.git("remote", "remove", "origin", at=world.clone)
    written = write(world.ledger(), 1)
    world.git("checkout", "--quiet", BRANCH, at=world.clone)
    with pytest.raises(LedgerError, match="checked out at"):
        write(world.ledger(), 1)
    assert list(world.ledger().read()) == written
