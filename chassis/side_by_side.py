"""Makes calls that block side by side, a few at a time, and gives back what they return in their order."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")


def side_by_side(calls: Sequence[Callable[[], T]], at_once: int) -> list[T]:
    """Make calls, up to `at_once` at a time.

    Each call watches its own deadline. So a caller who gives up ends all of them.

    Args:
        calls: The calls. They share nothing that is not safe between threads.
        at_once: The most calls at a time, from 1. With 1 they are made one after another in this thread.

    Returns:
        What each call returned, in the order of `calls`.

    Raises:
        Exception: What the first of them (in their order) raised. Those that had not begun are left out.
    """
    if at_once <= 1 or len(calls) <= 1:
        return [call() for call in calls]
    with ThreadPoolExecutor(min(at_once, len(calls)), thread_name_prefix="side-by-side") as pool:
        # A context each: the request's identity in logs and traces goes along.
        running = [pool.submit(contextvars.copy_context().run, call) for call in calls]
        wait(running, return_when=FIRST_EXCEPTION)
        for future in running:
            future.cancel()
    ended = [future for future in running if not future.cancelled()]
    failed = next((error for future in ended if (error := future.exception()) is not None), None)
    if failed is not None:
        raise failed
    return [future.result() for future in ended]
