"""The command line in the test's own process, with a fake Promoter."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from promoter.ui.cli.app import run
from tests.fakes.promoter import FakePromoter


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


RunCli = Callable[..., Answer]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> FakePromoter:
    fake = FakePromoter()
    monkeypatch.setattr("promoter.api.open_pipeline", fake.open)
    monkeypatch.chdir(tmp_path)
    for name in ("PROMOTER_FILE", "PROMOTER_WAIT", "PROMOTER_LEDGER", "PROMOTER_ACTOR", "PROMOTER_DEBUG", "PROMOTER_DISPATCH"):
        monkeypatch.delenv(name, raising=False)
    return fake


@pytest.fixture
def run_cli(capsysbinary: pytest.CaptureFixture[bytes], fake: FakePromoter) -> RunCli:
    def output(*argv: str) -> Answer:
        code = run(argv)
        out, err = capsysbinary.readouterr()
        return Answer(code, out.decode(), err.decode())

    return output
