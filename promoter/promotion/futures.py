"""Wait for work in other threads, so that a signal is noticed."""

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any

NOTICED = 0.25
"""Seconds within which a signal is noticed: another thread may receive it, and only the main thread runs its handler."""


def wait_for_one(futures: "Collection[Future[Any]]") -> "set[Future[Any]]":
    """Return the futures that have ended, when at least one has. Return at once if there are none."""
    ended: set[Future[Any]] = set()
    while futures and not ended:
        ended, _ = wait(futures, NOTICED, FIRST_COMPLETED)
    return ended
