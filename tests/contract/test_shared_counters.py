"""Gateways that count in one Redis: a client has one share, however many replicas it meets."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chassis.errors import ExhaustedError
from chassis.store import MediaStore
from gateway.callers import Client
from gateway.quotas import UploadQuotas
from gateway.rates import AWAY_S, SHARED_TIMEOUT_S, Rates, open_shared_storage
from gateway.usage import Usage
from tests.redis_server import AnyRedis, own_redis

pytestmark = pytest.mark.anyio

ANA, BEN = Client("key:ana", key_sha256="a"), Client("key:ben", key_sha256="b")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[AnyRedis]:
    with own_redis(tmp_path) as server:
        yield server


class Clock:
    """Goes on by itself, and further when the test says so."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


class Replica:
    """What a gateway counts uploads with."""

    def __init__(self, redis: AnyRedis, folder: Path, uploads: str, sizes: str) -> None:
        self.clock = Clock()
        self.rates = Rates(open_shared_storage(redis.url), self.clock)
        self.quotas = UploadQuotas(self.rates, Usage(MediaStore(folder.as_uri())), uploads, sizes)

    async def upload(self, client: Client = ANA, media_bytes: int = 1) -> None:
        async with self.quotas.share(client, media_bytes) as share:
            share.media_bytes = media_bytes


@asynccontextmanager
async def two_replicas(
    redis: AnyRedis, folder: Path, uploads: str = "", sizes: str = ""
) -> AsyncIterator[tuple[Replica, Replica]]:
    one, other = Replica(redis, folder, uploads, sizes), Replica(redis, folder, uploads, sizes)
    async with one.rates.counting(), other.rates.counting():
        yield one, other


async def test_two_replicas_grant_one_share_of_uploads(redis: AnyRedis, tmp_path: Path) -> None:
    async with two_replicas(redis, tmp_path, uploads="3/hour") as (one, other):
        await one.upload()
        await other.upload()
        await one.upload()

        with pytest.raises(ExhaustedError) as refused:
            await other.upload()
        await other.upload(BEN)

    assert refused.value.reason == "RATE_LIMITED"
    assert 3000 < (refused.value.retry_after_s or 0) <= 3601


async def test_two_replicas_grant_one_share_of_bytes(redis: AnyRedis, tmp_path: Path) -> None:
    async with two_replicas(redis, tmp_path, sizes="1000000/day") as (one, other):
        await one.upload(media_bytes=600_000)
        with pytest.raises(ExhaustedError) as refused:
            await other.upload(media_bytes=600_000)
        await other.upload(media_bytes=300_000)

    assert refused.value.reason == "BYTE_QUOTA_EXCEEDED"


async def test_while_redis_is_gone_each_replica_counts_alone_and_it_is_used_again_when_it_is_back(
    redis: AnyRedis, tmp_path: Path
) -> None:
    async with two_replicas(redis, tmp_path, uploads="1/hour") as (one, other):
        redis.kill()
        await one.upload()
        await other.upload()
        with pytest.raises(ExhaustedError):
            await one.upload()
        redis.start()
        one.clock.ahead_s = other.clock.ahead_s = AWAY_S

        await one.upload(BEN)
        with pytest.raises(ExhaustedError):
            await other.upload(BEN)


async def test_a_redis_that_stands_still_is_not_waited_for_by_each_upload(
    redis: AnyRedis, tmp_path: Path
) -> None:
    async with two_replicas(redis, tmp_path, uploads="1/hour") as (one, _):
        redis.freeze()
        begin_s = time.monotonic()
        for number in range(20):
            await one.upload(Client(f"key:{number}", key_sha256=str(number)))
        took_s = time.monotonic() - begin_s
        redis.thaw()

    # Asked once for each, it would be 20 timeouts and more. It is left alone between two.
    assert took_s < 10 * SHARED_TIMEOUT_S
