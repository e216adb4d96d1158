"""A login that is valid for hours is reported: a node that starts a task later is refused by the registry."""

from types import SimpleNamespace
from typing import cast

import pytest

from promoter.adapters.engine.engine import DockerEngine
from promoter.adapters.swarm.swarm import DockerSwarm
from promoter.model.images import Digest, ImageRef, Repository

IMAGE = ImageRef(Repository("registry.example.com", "shop/web"), Digest("ab" * 32))


def swarm(user: str | None) -> DockerSwarm:
    stub = SimpleNamespace(address="unix:///a", login_name=lambda host: user if host == "registry.example.com" else None)
    return DockerSwarm([cast("DockerEngine", stub)])


@pytest.mark.parametrize("user", ["AWS", "oauth2accesstoken", "gitlab-ci-token"])
def test_a_login_for_hours_is_reported(user: str) -> None:
    assert "the login for registry.example.com is usually valid for hours only" in (swarm(user).login_note(IMAGE) or "")


@pytest.mark.parametrize("user", [None, "", "deploy"])
def test_another_login_is_not(user: str | None) -> None:
    assert swarm(user).login_note(IMAGE) is None
