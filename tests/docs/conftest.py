"""What the pages are run with."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.docs.world import base_image


@pytest.fixture(scope="session")
def base(engine_url: str, busybox_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the name of an image with the content of the pages' base image."""
    with base_image(engine_url, busybox_dir, tmp_path_factory.mktemp("base"), f"t{uuid4().hex[:10]}") as tag:
        yield tag
