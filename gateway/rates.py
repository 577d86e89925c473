"""How often something may happen, counted by `limits`: here, or in a Redis that all replicas share."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import limits
from limits.aio.storage import MovingWindowSupport, RedisStorage, SlidingWindowCounterSupport, Storage
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from limits.errors import StorageError
from limits.storage import storage_from_string

from gateway.steady_storage import SteadyStorage

logger = logging.getLogger(__name__)

T = TypeVar("T")

SHARED_TIMEOUT_S = 1.0
"""A request does not wait longer for the shared counters."""
AWAY_S = 5.0
"""Shared counters that failed are left alone for so long. Else each request would wait for them in vain."""
MAX_ENTRY_COUNT = 10_000
"""Of a rate whose single times are kept."""
IN_USE_S = 10.0
"""When to ask again for what others use at this moment."""
IPV6_PREFIX = 64
"""One customer has so much of IPv6, and can take another address of it for each request."""


def open_shared_storage(url: str) -> Storage | None:
    """Return the storage of counters that all replicas share. None for an empty URL.

    Raises:
        limits.errors.ConfigurationError: There is no such storage, or the package for it is not installed.
    """
    if not url:
        return None
    timeouts = {"socket_timeout": SHARED_TIMEOUT_S, "socket_connect_timeout": SHARED_TIMEOUT_S}
    storage = storage_from_string(f"async+{url}", wrap_exceptions=True, implementation="redispy", **timeouts)
    assert isinstance(storage, Storage)  # noqa: S101  # `async+…` names no other kind
    return storage


def limited_as(client: str) -> str:
    """Return under which name a client is counted: a key's, or the part of its network that is its own."""
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv4Address):
        return client
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network(f"{address}/{IPV6_PREFIX}", strict=False))


class Rates:
    """Counts what happened, by kind, rate and client.

    Args:
        shared: Counters of all replicas. None, or while they are away: those of this process.
        clock: Seconds that only go forward, for those of this process.
    """

    def __init__(self, shared: Storage | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._own = SteadyStorage(clock)
        self._clock = clock
        self._away_until_s = clock()

    @asynccontextmanager
    async def counting(self) -> AsyncIterator[None]:
        """Close the connections to the shared counters when the block ends."""
        try:
            yield
        finally:
            if isinstance(self._shared, RedisStorage):
                connection = cast("Any", self._shared.bridge).get_connection()
                await connection.aclose()

    async def wait_s(self, what: str, rate: str, client: str, cost: int = 1, *, taken: int = 0) -> float:
        """Return after how many seconds something may happen. 0: now.

        Args:
            what: What it is. Each kind is counted by itself.
            rate: As `limits` writes it, such as `10/hour`. Empty for no limit.
            client: Whose share it is.
            cost: How much of it is wanted. More than the whole share waits until all of it is free.
            taken: How much of it is in use by what is not counted yet.
        """
        if not rate:
            return 0.0
        item = limits.parse(rate)
        key = item.key_for(what, limited_as(client))
        wait_s = _bulk_wait_s if _is_bulk(item) else self._wait_s
        room = item.amount - min(cost, item.amount)
        # First without what is in use, which may be given back soon.
        return await self._ask(lambda storage: wait_s(storage, item, key, room)) or await self._ask(
            lambda storage: wait_s(storage, item, key, room - taken)
        )

    async def count(self, what: str, rate: str, client: str, cost: int = 1) -> None:
        """Count what happened. What is more than there was room for takes all the room."""
        if not rate or cost <= 0:
            return
        item = limits.parse(rate)
        await self._ask(lambda storage: _count(storage, item, (what, limited_as(client)), cost))

    async def _wait_s(self, storage: Storage, item: limits.RateLimitItem, key: str, room: int) -> float:
        window = cast("MovingWindowSupport", storage)
        start_s, count = await window.get_moving_window(key, item.amount, item.get_expiry())
        if count <= room:
            return 0.0
        if not count:
            return IN_USE_S
        now_s = self._clock() if storage is self._own else time.time()
        return max(1.0, start_s + item.get_expiry() - now_s)

    async def _ask(self, question: Callable[[Storage], Awaitable[T]]) -> T:
        if self._shared is not None and self._clock() >= self._away_until_s:
            try:
                async with asyncio.timeout(SHARED_TIMEOUT_S):
                    return await question(self._shared)
            except (StorageError, TimeoutError) as error:
                self._away_until_s = self._clock() + AWAY_S
                logger.warning(
                    "the shared counters are away, this process counts alone",
                    extra={"error": type(error).__name__},
                )
        return await question(self._own)


def _is_bulk(item: limits.RateLimitItem) -> bool:
    """Tell whether so much is counted, such as bytes, that a time of each can't be kept."""
    return item.amount > MAX_ENTRY_COUNT


async def _bulk_wait_s(storage: Storage, item: limits.RateLimitItem, key: str, room: int) -> float:
    """Return when no more than `room` is counted, by two counters: the last window's weighs less and less."""
    window_s = item.get_expiry()
    before, weight_s, count, ttl_s = await cast("SlidingWindowCounterSupport", storage).get_sliding_window(
        key, window_s
    )
    if before * weight_s / window_s + count <= room:
        return 0.0
    if before and count <= room:
        return max(1.0, weight_s - (room - count) * window_s / before)
    return max(1.0, ttl_s - max(0, room) * window_s / count) if count else IN_USE_S


async def _count(storage: Storage, item: limits.RateLimitItem, names: tuple[str, str], cost: int) -> None:
    window = (SlidingWindowCounterRateLimiter if _is_bulk(item) else MovingWindowRateLimiter)(storage)
    if await window.hit(item, *names, cost=cost):
        return
    rest = (await window.get_window_stats(item, *names)).remaining
    if rest > 0:
        await window.hit(item, *names, cost=min(rest, cost))
