"""Callers that call one after the other, until they are told to stop."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from chassis.client import NO_RETRY, RetryPolicy, unary
from chassis.errors import InterviewError
from interview.v1 import assessor_pb2, assessor_pb2_grpc

PATIENCE_S = 60.0


class Load:
    """What came of the calls."""

    def __init__(self) -> None:
        self.done_count = 0
        self.failures: Counter[str] = Counter()

    async def call(self, method: Callable[..., Awaitable[Any]], retry: RetryPolicy) -> None:
        request = assessor_pb2.AssessRequest(question="load")
        try:
            await unary(method, request, timeout_s=PATIENCE_S, retry=retry)
        except InterviewError as error:
            self.failures[f"{error.code} {error.__cause__!r}"] += 1
            await asyncio.sleep(0.05)
        else:
            self.done_count += 1


@asynccontextmanager
async def load_on(channel: Any, caller_count: int, retry: RetryPolicy = NO_RETRY) -> AsyncIterator[Load]:
    """Call the assessor without a pause, from several callers."""
    load, stopped = Load(), asyncio.Event()
    method = assessor_pb2_grpc.AssessorServiceStub(channel).Assess

    async def go_on() -> None:
        while not stopped.is_set():
            await load.call(method, retry)

    callers = [asyncio.create_task(go_on()) for _ in range(caller_count)]
    try:
        yield load
    finally:
        stopped.set()
        await asyncio.gather(*callers)
