"""`logs ENV --follow`: each line once, also from containers that replace others."""

from collections.abc import Iterator
from itertools import islice

import pytest

from promoter.model.errors import CallerError, Interrupted
from promoter.model.secrets import handle
from promoter.usecases.logs import LogEntry
from tests.fakes.engine import Behaviour
from tests.harness import Harness


def entries(found: Iterator[LogEntry], number: int) -> list[tuple[str, str]]:
    return [(entry.source, entry.text) for entry in islice(found, number)]


def test_each_line_is_shown_once_and_a_new_container_is_followed() -> None:
    shop = Harness()
    shop.engine.behave(shop.images["web"].digest, Behaviour(logs="one\ntwo\nthree\n"))
    shop.run("dev")
    api = shop.api()
    found = api.follow("dev", None, 2)
    assert entries(found, 1) == [("shop-dev-web", "two\nthree")]
    shop.newer("two")
    shop.engine.behave(shop.images["web"].digest, Behaviour(logs="four\n"))
    shop.run("dev")
    assert entries(found, 1) == [("shop-dev-web", "four")]


def test_it_ends_when_the_run_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Harness()
    shop.engine.behave(shop.images["web"].digest, Behaviour(logs="one\n"))
    shop.run("dev")

    def interrupted(_: float) -> None:
        raise Interrupted

    found = shop.api().follow("dev", "web", 10)
    assert entries(found, 1) == [("shop-dev-web", "one")]
    monkeypatch.setattr(shop.clock, "sleep", interrupted)
    with pytest.raises(Interrupted):
        next(found)


def test_an_unknown_name_is_refused() -> None:
    shop = Harness()
    shop.run("dev")
    with pytest.raises(CallerError, match="no environment 'produ'"):
        next(shop.api().follow("produ"))
    with pytest.raises(CallerError, match="has no container of service 'db'"):
        next(shop.api().follow("dev", "db"))


def test_secrets_are_redacted() -> None:
    shop = Harness()
    shop.secrets.values["TOKEN"] = "abcd1234"
    shop.services["web"] = shop.services["web"].model_copy(update={"environment": {"A": handle("TOKEN")}})
    shop.engine.behave(shop.images["web"].digest, Behaviour(logs="my token is abcd1234\n"))
    shop.run("dev")
    assert entries(shop.api().follow("dev"), 1) == [("shop-dev-web", "my token is [secret TOKEN]")]
