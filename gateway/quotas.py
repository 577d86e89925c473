"""What one client may upload: so many uploads and so many bytes. Only what was accepted counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chassis.errors import ExhaustedError
from gateway.callers import Client
from gateway.rates import Rates
from gateway.usage import Usage

UPLOAD = "upload"
BYTES = "bytes"
MINUTE_S = 60


@dataclass
class Share:
    """What one upload takes of its client's quota."""

    media_bytes: int = 0
    """Bytes of its recordings, as they arrived. What links lead to is not counted."""


class UploadQuotas:
    """Refuses what is beyond a client's quota, and counts what was accepted.

    Args:
        rates: Counts.
        usage: Is told what was accepted.
        upload_rate: Uploads a client, such as `10/hour`. Empty for no limit.
        byte_rate: Bytes a client, such as `5000000000/day`. Empty for no limit.
    """

    def __init__(self, rates: Rates, usage: Usage, upload_rate: str, byte_rate: str) -> None:
        self._rates = rates
        self._usage = usage
        self._upload_rate = upload_rate
        self._byte_rate = byte_rate
        self._under_way: Counter[tuple[str, str]] = Counter()
        """What runs already, by kind and client. So uploads at the same time don't share one place."""

    @asynccontextmanager
    async def share(self, client: Client, expected_bytes: int = 0) -> AsyncIterator[Share]:
        """Hold a share of a client's quota while the block runs. If it raises, nothing is counted.

        Args:
            client: Whose quota it is.
            expected_bytes: How many bytes the upload says it has. 0 where it does not say.

        Raises:
            ExhaustedError: The quota is used up (`RATE_LIMITED`, `BYTE_QUOTA_EXCEEDED`).
        """
        upload_rate, byte_rate = client.upload_rate or self._upload_rate, client.byte_rate or self._byte_rate
        uploads, sizes = (UPLOAD, client.share), (BYTES, client.share)
        expected_bytes = max(1, expected_bytes)
        self._under_way[uploads] += 1
        self._under_way[sizes] += expected_bytes
        share = Share()
        try:
            await self._check(client, upload_rate, byte_rate, expected_bytes)
            yield share
            await self._rates.count(UPLOAD, upload_rate, client.share)
            await self._rates.count(BYTES, byte_rate, client.share, share.media_bytes)
        finally:
            self._under_way[uploads] -= 1
            self._under_way[sizes] -= expected_bytes
            self._under_way += Counter()  # Drops clients without any.
        await self._usage.add(client, share.media_bytes)

    async def _check(self, client: Client, upload_rate: str, byte_rate: str, expected_bytes: int) -> None:
        name, under_way = client.share, self._under_way
        # Both before anything is waited for: of two at the same moment the first one gets the place.
        others, other_bytes = under_way[UPLOAD, name] - 1, under_way[BYTES, name] - expected_bytes
        if wait_s := await self._rates.wait_s(UPLOAD, upload_rate, name, taken=others):
            limit = _in_words(upload_rate)
            raise ExhaustedError(
                f"Too many uploads. The limit is {limit}. Try again in {_minutes(wait_s)} min.",
                reason="RATE_LIMITED",
                retry_after_s=wait_s,
            )
        if wait_s := await self._rates.wait_s(BYTES, byte_rate, name, expected_bytes, taken=other_bytes):
            raise ExhaustedError(
                f"Too many bytes. The limit is {_in_words(byte_rate)}. Try again in {_minutes(wait_s)} min,"
                " or send a smaller recording.",
                reason="BYTE_QUOTA_EXCEEDED",
                retry_after_s=wait_s,
            )


def _in_words(rate: str) -> str:
    amount, _, time = rate.partition("/")
    return f"{int(amount):,} a {time}" if amount.isdecimal() else rate


def _minutes(wait_s: float) -> int:
    return math.ceil(wait_s / MINUTE_S)
