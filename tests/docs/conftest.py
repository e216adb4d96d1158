"""What the pages are told on."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.docs.world import base_image


@pytest.fixture(scope="session")
def base(engine_url: str, busybox_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of an image that has what the pages' base image has."""
    with base_image(engine_url, busybox_dir, tmp_path_factory.mktemp("base"), f"t{uuid4().hex[:10]}") as tag:
        yield tag
