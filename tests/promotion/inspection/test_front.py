"""Where requests go, from the servers of a front, compared with where they must go."""

import pytest

from promoter.model.labels import Slot, slot_of
from promoter.pipeline.front_spec import Route
from promoter.promotion.container_spec import Server
from promoter.promotion.front_servers import ServerState
from promoter.promotion.inspection.front import _other_target

DRAIN, MAINTENANCE, UNRESOLVED = 8, 1, 32
BLUE, GREEN = "shop-dev-web-blue:80", "shop-dev-web-green:80"


@pytest.mark.parametrize(
    ("blue", "green", "found"),
    [
        (ServerState("10.0.0.2", 0, BLUE), ServerState("10.0.0.3", DRAIN, GREEN), None),
        (ServerState("10.0.0.2", 0, BLUE), ServerState(None, UNRESOLVED, GREEN), None),
        (ServerState(None, UNRESOLVED, BLUE), ServerState("10.0.0.3", DRAIN, GREEN), None),  # it was started a moment ago
        (ServerState("10.0.0.2", 0, BLUE), ServerState("10.0.0.3", 0, GREEN), f"requests go to {BLUE} and {GREEN}"),
        (ServerState("10.0.0.2", DRAIN, BLUE), ServerState("10.0.0.3", 0, GREEN), f"requests go to {GREEN}"),
        (ServerState("10.0.0.2", MAINTENANCE, BLUE), ServerState(None, UNRESOLVED, GREEN), "no requests go there"),
        (ServerState("10.0.0.9", 0, "10.0.0.9:80"), ServerState(None, UNRESOLVED, GREEN), "requests go to 10.0.0.9:80"),
    ],
)
def test_another_target_is_named(blue: ServerState, green: ServerState, found: str | None) -> None:
    known = {("web_80", "blue-1"): blue, ("web_80", "green-1"): green}
    assert _other_target(Route(service="web", target=80, bind=8000), Server(Slot("shop-dev-web"), 1, "blue"), known) == found


def test_a_server_that_the_front_does_not_have_is_not_known() -> None:
    assert _other_target(Route(service="web", target=80, bind=8000), Server(Slot("shop-dev-web"), 1, "blue"), {}) is None


@pytest.mark.parametrize("name", ["shop-dev-web-2", "shop-dev-web-2-previous", "shop-dev-web-2-next"])
def test_a_renamed_container_is_of_its_slot(name: str) -> None:
    assert slot_of(name) == Slot("shop-dev-web-2")
