import pytest

from promoter.ledger.testing import LedgerContract
from tests.fakes.ledger import MemoryLedger


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger()
