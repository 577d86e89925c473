"""Uploads a client and hour, by a clock that only goes forward."""

from __future__ import annotations

import pytest

from chassis.errors import ExhaustedError
from gateway.callers import Client
from gateway.ratelimit import UploadRateLimiter

pytestmark = pytest.mark.anyio

ANA, BEN = Client("ana"), Client("ben")


class Clock:
    """Goes forward when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_the_window_moves_along_and_says_when_there_is_room() -> None:
    clock = Clock()
    limiter = UploadRateLimiter("2/minute", clock)
    await limiter.take(ANA)
    clock.now_s += 40
    await limiter.take(ANA)

    with pytest.raises(ExhaustedError) as raised:
        await limiter.take(ANA)
    await limiter.take(BEN)  # each client has a share of its own

    assert raised.value.retry_after_s == 20.0
    clock.now_s += 20
    await limiter.take(ANA)
    with pytest.raises(ExhaustedError):
        await limiter.take(ANA)


async def test_clients_that_are_gone_are_forgotten() -> None:
    clock = Clock()
    limiter = UploadRateLimiter("2/minute", clock)
    await limiter.take(ANA)
    clock.now_s += 60
    await limiter.take(BEN)

    assert set(limiter._taken) == {"ben"}


async def test_a_host_whose_clock_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = UploadRateLimiter("1/hour")
    await limiter.take(ANA)
    monkeypatch.setattr("time.time", lambda: 4e9)

    with pytest.raises(ExhaustedError) as raised:
        await limiter.take(ANA)

    assert 3590 < (raised.value.retry_after_s or 0) <= 3600


async def test_no_rate_is_no_limit() -> None:
    limiter = UploadRateLimiter("")
    for _ in range(100):
        await limiter.take(ANA)
