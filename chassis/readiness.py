"""What a process lacks at the moment to do its work. Without it, health says NOT_SERVING, until it is back.

A process that lacks something still answers: it says what, in its log, in a metric, and in its errors.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from grpc_health.v1 import health_pb2

from chassis.telemetry import LACKING

logger = logging.getLogger(__name__)

LOOK_PAUSE_S = 0.25
SERVING, NOT_SERVING = (health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING)


class Readiness:
    """What is lacking, by its reason (UPPER_SNAKE). Any thread may tell."""

    def __init__(self) -> None:
        self._lacking: set[str] = set()

    @property
    def lacking(self) -> frozenset[str]:
        """The reasons why the process is not ready. None: it is."""
        return frozenset(self._lacking)

    def lose(self, reason: str, advice: str) -> None:
        """Note that something is lacking.

        Args:
            reason: What, from `docs/errors.md`.
            advice: What an operator should do, one sentence or two.
        """
        if reason not in self._lacking:
            self._lacking.add(reason)
            LACKING.labels(reason).set(1)
            logger.error(advice, extra={"reason": reason})

    def regain(self, reason: str) -> None:
        """Note that it is back."""
        if reason in self._lacking:
            self._lacking.discard(reason)
            LACKING.labels(reason).set(0)
            logger.warning("what was lacking is back", extra={"reason": reason})

    async def tell(self, health: Any, names: Sequence[str]) -> None:
        """Keep a health servicer up to date, until cancelled."""
        told = False
        while True:
            if told != bool(self._lacking):
                told = bool(self._lacking)
                for name in names:
                    await health.set(name, NOT_SERVING if told else SERVING)
            await asyncio.sleep(LOOK_PAUSE_S)


READINESS = Readiness()
"""What this process lacks."""
