"""Uploads a client and hour, by a clock that only goes forward, and uploads of a client at once."""

from __future__ import annotations

import pytest

from chassis.errors import ExhaustedError
from gateway.callers import Client
from gateway.ratelimit import UploadPlaces, UploadRateLimiter

ANA, BEN = Client("ana"), Client("ben")


class Clock:
    """Goes forward when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def take(limiter: UploadRateLimiter, client: Client) -> None:
    with limiter.counted(client):
        pass


def test_the_window_moves_along_and_says_when_there_is_room() -> None:
    clock = Clock()
    limiter = UploadRateLimiter("2/minute", clock)
    take(limiter, ANA)
    clock.now_s += 40
    take(limiter, ANA)

    with pytest.raises(ExhaustedError) as raised:
        take(limiter, ANA)
    take(limiter, BEN)  # each client has a share of its own

    assert raised.value.retry_after_s == 20.0
    clock.now_s += 20
    take(limiter, ANA)
    with pytest.raises(ExhaustedError):
        take(limiter, ANA)


def test_clients_that_are_gone_are_forgotten() -> None:
    clock = Clock()
    limiter = UploadRateLimiter("2/minute", clock)
    take(limiter, ANA)
    clock.now_s += 60
    take(limiter, BEN)

    assert set(limiter._taken) == {"ben"}


def test_a_host_whose_clock_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    limiter = UploadRateLimiter("1/hour")
    take(limiter, ANA)
    monkeypatch.setattr("time.time", lambda: 4e9)

    with pytest.raises(ExhaustedError) as raised:
        take(limiter, ANA)

    assert 3590 < (raised.value.retry_after_s or 0) <= 3600


def test_no_rate_is_no_limit() -> None:
    limiter = UploadRateLimiter("")
    for _ in range(100):
        take(limiter, ANA)


def test_an_upload_that_fails_is_not_counted() -> None:
    limiter = UploadRateLimiter("1/hour")
    for _ in range(3):
        with pytest.raises(ValueError, match="not a video"), limiter.counted(ANA):
            raise ValueError("not a video")

    take(limiter, ANA)


def test_one_client_leaves_places_for_the_others() -> None:
    places = UploadPlaces(max_count=3, max_count_per_client=2)
    with places.taken(ANA), places.taken(ANA):
        with pytest.raises(ExhaustedError) as own, places.taken(ANA):
            pass
        with places.taken(BEN), pytest.raises(ExhaustedError) as all_taken, places.taken(BEN):
            pass
    with places.taken(ANA):
        pass

    assert own.value.reason == "UPLOADS_OF_CLIENT_FULL"
    assert all_taken.value.reason == "UPLOADS_FULL"
    assert not places._taken
