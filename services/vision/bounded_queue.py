"""A bounded queue from a producing thread to a consumer that may stop at any time."""

from __future__ import annotations

import queue
import threading
from typing import TypeAlias, TypeVar

from chassis.errors import CancelledCallError

T = TypeVar("T")

BoundedQueue: TypeAlias = "queue.Queue[T | Exception | None]"
"""Items in order, then None, or the error that ended them."""

QUEUE_WAIT_S = 0.1
"""How long both sides wait before they look whether somebody wants to stop."""


def put(waiting: BoundedQueue[T], item: T | Exception | None, abandoned: threading.Event) -> bool:
    """Hand an item over, waiting for room. False once the consumer has gone away."""
    while not abandoned.is_set():
        try:
            waiting.put(item, timeout=QUEUE_WAIT_S)
        except queue.Full:
            continue
        return True
    return False


def take(waiting: BoundedQueue[T], stop: threading.Event) -> T | Exception | None:
    """Take the next item, waiting for it.

    Raises:
        CancelledCallError: `stop` was set.
    """
    while not stop.is_set():
        try:
            return waiting.get(timeout=QUEUE_WAIT_S)
        except queue.Empty:
            continue
    raise CancelledCallError("The look at the recording was stopped.", reason="CANCELLED")
