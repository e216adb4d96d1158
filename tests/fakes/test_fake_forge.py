import pytest

from promoter.usecases.ports.platform import Platform
from tests.contracts.forge import ForgeContract
from tests.fakes.forge import FakeForge


class FakeForgeSite:
    def __init__(self, platform: Platform) -> None:
        self.forge = FakeForge(platform)

    def review(self, user: str, decision: str, comment: str) -> None:
        self.forge.review(user, decision, comment=comment)

    def started(self) -> list[tuple[str, str]]:
        return [(occasion.environment, occasion.release) for _, occasion in self.forge.started]

    def recorded(self) -> list[tuple[str, str]]:
        return [(record.environment, record.state) for record in self.forge.records]


@pytest.fixture(params=list(Platform))
def site(request: pytest.FixtureRequest) -> FakeForgeSite:
    return FakeForgeSite(request.param)


class TestFakeForge(ForgeContract):
    pass
