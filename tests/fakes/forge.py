"""A platform that records its requests. A test adds the reviews of people to it."""

from promoter.model.errors import CallerError, ForgeError
from promoter.usecases.ports.platform import DeploymentRecord, ImageRecord, Occasion, Platform, Review, Target, platform_of


class FakeForge:
    def __init__(self, platform: Platform = Platform.GITHUB) -> None:
        self.platform, self.repository = platform, "acme/shop"
        self.given: list[tuple[str, Review]] = []
        self.started: list[tuple[Target, Occasion]] = []
        self.records: list[DeploymentRecord] = []
        self.images: list[ImageRecord] = []
        self.failing: dict[str, ForgeError | CallerError] = {}
        self.asked = 0

    def of(self, platform: Platform | None) -> "FakeForge":
        """Return this platform, as `World.forge` does."""
        assert platform in (None, self.platform)
        return self

    def review(self, user: str, decision: str = "approve", environment: str = "prod", comment: str = "") -> None:
        same = [one for name, one in self.given if (name, one.user, one.decision) == (environment, user, decision)]
        self.given.append((environment, Review(user, decision, comment, str(len(same) + 1))))

    def prove(self) -> None:
        self._fail("prove")

    def dispatch(self, target: Target, occasion: Occasion) -> None:
        if platform_of(target) is not self.platform:
            raise CallerError(f"{target} is not for {self.platform.shown}")
        self._fail("dispatch")
        self.started.append((target, occasion))

    def reviews(self, environment: str) -> tuple[Review, ...]:
        self._fail("reviews")
        self.asked += 1
        return tuple(one for name, one in self.given if name == environment)

    def record(self, record: DeploymentRecord) -> None:
        self._itself()
        self._fail("record")
        self.records.append(record)

    def record_image(self, image: ImageRecord) -> None:
        self._itself()
        self._fail("record_image")
        self.images.append(image)

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def _itself(self) -> None:
        if self.platform is Platform.GITLAB:
            raise ForgeError("GitLab keeps deployments itself")

    def _fail(self, what: str) -> None:
        if what in self.failing:
            raise self.failing[what]
