"""Wrong keys, or sign-ins that failed, from one address: so many, then no more for a while."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from chassis.errors import ExhaustedError
from gateway.rates import Rates, limited_as

Refusal = Callable[[float], ExhaustedError]
"""Called with the seconds after which another attempt makes sense."""


class Guesses:
    """Bounds what one address may get wrong.

    Args:
        rates: Counts it.
        rate: As `limits` writes it, such as `20/minute`. Empty for no limit.
        kind: What is counted. Each kind is counted by itself.
        refusal: Says that it was too much.
    """

    def __init__(self, rates: Rates, rate: str, kind: str, refusal: Refusal) -> None:
        self._rates = rates
        self._rate = rate
        self._kind = kind
        self._refusal = refusal
        self._tried: Counter[str] = Counter()

    @asynccontextmanager
    async def tried(self, address: str) -> AsyncIterator[None]:
        """Let an address try what takes a while. Until its end is known it counts as wrong.

        Raises:
            ExhaustedError: The address got too much wrong, or tries too much at once.
        """
        name = limited_as(address)
        self._tried[name] += 1
        try:
            others = self._tried[name] - 1
            if wait_s := await self._rates.wait_s(self._kind, self._rate, address, taken=others):
                raise self._refusal(wait_s)
            yield
        finally:
            self._tried[name] -= 1
            self._tried += Counter()  # Drops addresses that try nothing.

    async def check(self, address: str) -> None:
        """Refuse an address that got too much wrong, whatever it brings now.

        Raises:
            ExhaustedError: It did.
        """
        if wait_s := await self._rates.wait_s(self._kind, self._rate, address):
            raise self._refusal(wait_s)

    async def count(self, address: str) -> None:
        """Count something that was wrong."""
        await self._rates.count(self._kind, self._rate, address)


def wrong_keys(rates: Rates, rate: str) -> Guesses:
    """Return what bounds the wrong keys of an address."""
    return Guesses(
        rates,
        rate,
        "wrong-key",
        lambda wait_s: ExhaustedError(
            f"Too many wrong API keys came from this address. Try again in {math.ceil(wait_s)} s.",
            reason="TOO_MANY_WRONG_KEYS",
            retry_after_s=wait_s,
        ),
    )


def failed_sign_ins(rates: Rates, rate: str) -> Guesses:
    """Return what bounds the sign-ins of an address that fail."""
    return Guesses(
        rates,
        rate,
        "failed-sign-in",
        lambda wait_s: ExhaustedError(
            f"Too many sign-ins from this address have failed. Try again in {math.ceil(wait_s)} s.",
            reason="TOO_MANY_SIGN_INS",
            retry_after_s=wait_s,
        ),
    )
