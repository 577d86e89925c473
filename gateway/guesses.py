"""Wrong keys from one address: so many, then no more for a while."""

from __future__ import annotations

import math

from chassis.errors import ExhaustedError
from gateway.rates import Rates

WRONG_KEY = "wrong-key"


class Guesses:
    """Bounds the wrong keys that one address may show.

    Args:
        rates: Counts them.
        rate: As `limits` writes it, such as `20/minute`. Empty for no limit.
    """

    def __init__(self, rates: Rates, rate: str) -> None:
        self._rates = rates
        self._rate = rate

    async def check(self, address: str) -> None:
        """Refuse an address that showed too many wrong keys, whatever it shows now.

        Raises:
            ExhaustedError: `TOO_MANY_WRONG_KEYS`.
        """
        wait_s = await self._rates.wait_s(WRONG_KEY, self._rate, address)
        if wait_s:
            raise ExhaustedError(
                f"Too many wrong API keys came from this address. Try again in {math.ceil(wait_s)} s.",
                reason="TOO_MANY_WRONG_KEYS",
                retry_after_s=wait_s,
            )

    async def count(self, address: str) -> None:
        """Count a wrong key."""
        await self._rates.count(WRONG_KEY, self._rate, address)
