"""What the holders of keys used, by day: kept in the store, so that it survives a restart.

Each process writes its own counts of a day (`usage/<day>/<process>.json`), and a reader adds them up.
"""

from __future__ import annotations

import asyncio
import json
import logging
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chassis.errors import InterviewError
from chassis.store import MediaStore
from gateway.callers import Client

logger = logging.getLogger(__name__)

PREFIX = "usage"
KEPT_DAYS = 400
"""A year, and some weeks to look at it."""


def today() -> date:
    """Return the present day, in UTC."""
    return datetime.now(UTC).date()


@dataclass
class Used:
    """What was accepted from one client on one day."""

    upload_count: int = 0
    """Uploads of recordings. Links are not among them."""
    session_count: int = 0
    media_bytes: int = 0

    def add(self, other: Used) -> None:
        """Add what was used elsewhere."""
        self.upload_count += other.upload_count
        self.session_count += other.session_count
        self.media_bytes += other.media_bytes


class Usage:
    """Counts what was accepted.

    Args:
        store: Keeps the counts.
        now: The present day.
    """

    def __init__(self, store: MediaStore, now: Callable[[], date] = today) -> None:
        self._store = store
        self._now = now
        self._process = uuid.uuid4().hex
        self._day = now()
        self._counts: defaultdict[str, Used] = defaultdict(Used)
        self._unwritten = False
        self._writing = asyncio.Lock()

    async def add(self, client: Client, media_bytes: int) -> None:
        """Count an accepted session. It never fails: an upload is not refused for want of a count.

        Clients who are known by their addresses only are not counted.
        """
        if not client.known:
            return
        if self._now() != self._day:
            await self._write()
            self._day, self._counts = self._now(), defaultdict(Used)
            await self._forget_old()
        self._counts[client.name].add(Used(int(media_bytes > 0), 1, media_bytes))
        self._unwritten = True
        await self._write()

    async def by_day(self, day_count: int) -> list[tuple[date, str, Used]]:
        """Return what was used in the last days, the newest first, by day and key.

        Raises:
            InterviewError: The store is away.
        """
        first = self._now() - timedelta(days=day_count - 1)
        found: defaultdict[tuple[date, str], Used] = defaultdict(Used)
        for item in await self._store.list(PREFIX):
            day = _day_of(item.key)
            if day is None or day < first:
                continue
            for name, used in _read(await self._store.get_bytes(item.key)).items():
                found[day, name].add(used)
        in_order = sorted(found.items(), key=lambda entry: (-entry[0][0].toordinal(), entry[0][1]))
        return [(day, name, used) for (day, name), used in in_order]

    async def _write(self) -> None:
        async with self._writing:  # Who waited for another's writing finds that its own count was in it.
            if not self._unwritten:
                return
            self._unwritten = False
            counts = {name: asdict(used) for name, used in self._counts.items()}
            try:
                key = f"{PREFIX}/{self._day.isoformat()}/{self._process}.json"
                await self._store.put_bytes(key, json.dumps(counts).encode())
            except InterviewError as error:
                self._unwritten = True
                logger.warning("usage was not written", extra={"reason": error.reason})

    async def _forget_old(self) -> None:
        last = self._now() - timedelta(days=KEPT_DAYS)
        try:
            for item in await self._store.list(PREFIX):
                day = _day_of(item.key)
                if day is not None and day < last:
                    await self._store.delete(item.key)
        except InterviewError as error:
            logger.warning("old usage was not removed", extra={"reason": error.reason})


def _day_of(key: str) -> date | None:
    try:
        return date.fromisoformat(key.split("/")[-2])
    except (ValueError, IndexError):
        return None


def _read(data: bytes) -> dict[str, Used]:
    try:
        kept: dict[str, dict[str, Any]] = json.loads(data)
        return {name: Used(**used) for name, used in kept.items()}
    except (ValueError, TypeError, AttributeError):
        logger.warning("a file of usage can't be read and is left out")
        return {}
