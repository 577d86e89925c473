"""Places at the stages, accepted sessions first: early work gets what they leave, and gives it back.

Early work holds a place like any other work, so that a stage is never given more than it has places for. As
soon as a session would have to wait for one, the youngest early work at that stage is told to go.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from orchestrator.running.places import Places

GRANT_TIMEOUT_S = 2.0
"""A place that nobody wants is granted at once. Where replicas share them, after a look or two."""
LOOK_INTERVAL_S = 1.0
"""Between two looks for a free place."""


class NoPlaceError(Exception):
    """The accepted sessions want all places of the stage."""


@dataclass(eq=False)
class EarlyPlace:
    """A place that early work holds.

    Args:
        give_way: Tells the work that a session wants the place.
    """

    give_way: Callable[[], None]
    is_kept: bool = False
    """Whether a session waits for the work by now. Then it is that session's own."""


class YieldingPlaces:
    """The places of all stages. See `Places`: to sessions they are what they always were.

    Args:
        places: The places.
        counts: How many each stage has.
        is_waited_for: Tells whether a session of another process waits for a place of a stage. None: all
            sessions are this process's.
        look_interval_s: How often that is asked while early work holds a place.
    """

    def __init__(
        self,
        places: Places,
        counts: Mapping[str, int],
        is_waited_for: Callable[[str], Awaitable[bool]] | None = None,
        look_interval_s: float = LOOK_INTERVAL_S,
    ) -> None:
        self._is_waited_for = is_waited_for
        self._look_interval_s = look_interval_s
        self._places = places
        self._counts = counts
        self._wanted: Counter[str] = Counter()
        """Places that sessions hold or wait for."""
        self._early: defaultdict[str, list[EarlyPlace]] = defaultdict(list)

    def __getitem__(self, stage: str, /) -> AbstractAsyncContextManager[Any]:
        """See `Places`."""
        return self._of_session(stage)

    def count(self, stage: str, /) -> int:
        """See `Places`."""
        return self._counts[stage]

    @asynccontextmanager
    async def _of_session(self, stage: str) -> AsyncIterator[None]:
        self._wanted[stage] += 1
        self._make_room(stage)
        try:
            async with self._places[stage]:
                yield
        finally:
            self._wanted[stage] -= 1

    def _make_room(self, stage: str) -> None:
        over = self._wanted[stage] + len(self._early[stage]) - self._counts[stage]
        for place in reversed(self._early[stage]):
            if over > 0 and not place.is_kept:
                place.give_way()
                over -= 1

    @asynccontextmanager
    async def left_over(self, stage: str, give_way: Callable[[], None]) -> AsyncIterator[EarlyPlace]:
        """Hold a place that no session wants.

        Args:
            stage: The stage's name.
            give_way: Is called when a session wants it. It must leave the block then.

        Raises:
            NoPlaceError: There is none.
        """
        if self._wanted[stage] + len(self._early[stage]) >= self._counts[stage]:
            raise NoPlaceError
        place = EarlyPlace(give_way)
        self._early[stage].append(place)
        try:
            async with AsyncExitStack() as held:
                try:
                    async with asyncio.timeout(GRANT_TIMEOUT_S):
                        await held.enter_async_context(self._places[stage])
                except TimeoutError:
                    raise NoPlaceError from None
                async with self._watched(stage, place):
                    yield place
        finally:
            self._early[stage].remove(place)

    @asynccontextmanager
    async def _watched(self, stage: str, place: EarlyPlace) -> AsyncIterator[None]:
        """Give the place up within a moment after a session elsewhere wants it."""
        watching = asyncio.create_task(self._watch(stage, place))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _watch(self, stage: str, place: EarlyPlace) -> None:
        while self._is_waited_for is not None and not place.is_kept:
            if await self._is_waited_for(stage) and not place.is_kept:
                place.give_way()
                return
            await asyncio.sleep(self._look_interval_s * random.uniform(0.8, 1.2))  # noqa: S311
