"""The ledger in Git over a real ssh: what works there, and what is reported when access is denied."""

import getpass
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from promoter.adapters.ledgers.git.store import GitLedger
from promoter.ledger.testing import write
from promoter.model.errors import LedgerError
from tests.adapters.ledgers.git_world import BRANCH, World
from tests.adapters.ssh_server import SshServer

NOW = datetime(2026, 11, 23, 18, 20, 11, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def server(tmp_path: Path, sshd_program: list[Path]) -> SshServer:
    return SshServer(tmp_path / "ssh", sshd_program)


@pytest.fixture
def world(tmp_path: Path, server: SshServer) -> World:
    made = World(tmp_path)
    made.environment |= server.environment
    made.git("remote", "set-url", "origin", f"{getpass.getuser()}@{server.host}:{made.origin}", at=made.clone)
    return made


def over_ssh(world: World, server: SshServer) -> GitLedger:
    return world.ledger(url=f"git:{BRANCH}@ssh://{getpass.getuser()}@{server.host}{world.origin}")


def test_facts_and_leases_over_ssh(world, server):
    ledger = world.ledger()
    written = write(ledger, 2)
    lease = ledger.acquire("prod", "run 1", MINUTE, NOW)
    ledger.renew(lease, MINUTE, NOW)
    ledger.release(lease)
    assert list(over_ssh(world, server).read()) == written
    assert world.git("rev-list", "--count", BRANCH, at=world.origin) == "2"


def test_an_ssh_key_that_the_server_does_not_accept_is_reported(world, server):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(server.directory / "other")], check=True)
    server.allow("other")
    with pytest.raises(LedgerError, match=r"does not accept this ssh key: .*Permission denied") as error:
        list(world.ledger().read())
    assert (error.value.retryable, "ssh-add" in (error.value.hint or "")) == (False, True)


def test_an_unknown_host_key_is_refused_without_a_prompt(world, server):
    server.known.write_text("")
    with pytest.raises(LedgerError, match="host whose key is not known here") as error:
        list(world.ledger().read())
    assert "fingerprint" in (error.value.hint or "")


def test_a_missing_repository_is_reported(world, server):
    world.git("remote", "set-url", "origin", f"{server.host}:/nowhere/shop.git", at=world.clone)
    with pytest.raises(LedgerError, match="in a repository that does not exist"):
        list(world.ledger().read())


def test_a_repository_without_write_permission_is_reported(world):
    (world.origin / "hooks/pre-receive").write_text("#!/bin/sh\necho 'ana may not push here' >&2\nexit 1\n")
    (world.origin / "hooks/pre-receive").chmod(0o755)
    with pytest.raises(LedgerError, match="ana may not push here"):
        write(world.ledger(), 1)
