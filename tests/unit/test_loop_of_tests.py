"""The tests' own loop: what another loop's call left behind is no fault of a test, every other error is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.grpc_loop import LoopOfTests

POLLER = "Exception in callback PollerCompletionQueue._handle_events()"


def told(context: dict[str, Any]) -> list[dict[str, Any]]:
    loop = LoopOfTests()
    heard: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, said: heard.append(said))
    loop.call_exception_handler(context)
    loop.close()
    return heard


def test_a_call_of_a_loop_that_is_closed_is_passed_over() -> None:
    assert told({"message": POLLER, "exception": RuntimeError("Event loop is closed")}) == []


@pytest.mark.parametrize(
    "context",
    [
        {"message": POLLER, "exception": RuntimeError("something else")},
        {"message": "Exception in callback ours()", "exception": RuntimeError("Event loop is closed")},
        {"message": "a task was destroyed"},
    ],
)
def test_every_other_error_is_told(context: dict[str, Any]) -> None:
    assert told(context) == [context]


@pytest.mark.anyio
async def test_async_tests_run_on_it() -> None:
    assert isinstance(asyncio.get_running_loop(), LoopOfTests)
