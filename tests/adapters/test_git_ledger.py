"""The ledger on a branch of a real Git repository: what every ledger promises, and what only git can do to it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from promoter.adapters.ledger.git.ledger import GitLedger
from promoter.conformance import LedgerContract
from tests.adapters.git_world import World


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
