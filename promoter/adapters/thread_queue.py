"""Hand what one thread reads over to another, with its end or its error."""

from collections.abc import Iterable
from queue import Queue, SimpleQueue
from typing import TypeVar

T = TypeVar("T")


def fill(queue: SimpleQueue[T | BaseException | None] | Queue[T | BaseException | None], items: Iterable[T]) -> None:
    """Put every item, then None; or the error, which the thread that empties the queue raises."""
    try:
        for item in items:
            queue.put(item)
        queue.put(None)
    except BaseException as error:  # noqa: BLE001 -- raised again in the thread that empties the queue
        queue.put(error)
