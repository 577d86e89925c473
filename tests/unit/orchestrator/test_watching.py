"""Many watch one session, and one looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing

import pytest

from chassis.errors import NotFoundError
from interview.v1 import orchestrator_pb2
from orchestrator.watching import Seen, SessionWatches

pytestmark = pytest.mark.anyio
SESSION_ID = "0123456789abcdef0123456789abcdef"
WATCHER_COUNT = 500


class Looks:
    """A session that gets on by one event a look, and ends with the last one."""

    def __init__(self, event_count: int) -> None:
        self.event_count, self.count, self.at_once, self.most_at_once = event_count, 0, 0, 0
        self.gone = False

    async def look(self, session_id: str) -> Seen:
        self.count += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.gone:
            raise NotFoundError("It is gone.", reason="SESSION_NOT_FOUND")
        session = orchestrator_pb2.Session(session_id=session_id)
        return Seen(self.count, session, ended=self.count >= self.event_count)


async def at_once(session_id: str, timeout_s: float) -> None:
    """Something changes all the time."""


async def followed(watches: SessionWatches, until: Callable[[Seen], bool] = lambda _: False) -> list[int]:
    event_ids = []
    async with aclosing(watches.follow(SESSION_ID)) as following:
        async for seen in following:
            event_ids.append(seen.event_id)
            if until(seen):
                break
    return event_ids


async def test_five_hundred_who_watch_one_session_are_told_the_same_by_one_look_each() -> None:
    looks = Looks(4)
    watches = SessionWatches(looks.look, at_once)
    told = await asyncio.gather(*(followed(watches) for _ in range(WATCHER_COUNT)))

    assert told == [[1, 2, 3, 4]] * WATCHER_COUNT
    assert (looks.count, looks.most_at_once) == (4, 1)


async def test_who_comes_later_sees_what_the_others_saw_last_and_the_end() -> None:
    looks = Looks(4)
    watches = SessionWatches(looks.look, at_once)
    first = asyncio.create_task(followed(watches))
    await followed(watches, until=lambda seen: seen.event_id >= 2)

    later = await followed(watches)

    assert later[0] >= 2
    assert later == list(range(later[0], 5))
    assert await first == [1, 2, 3, 4]


async def test_nobody_looks_any_more_once_the_last_one_has_left() -> None:
    looks = Looks(1_000_000)
    watches = SessionWatches(looks.look, at_once)
    await asyncio.gather(*(followed(watches, until=lambda _: True) for _ in range(3)))
    count = looks.count
    await asyncio.sleep(1.0)

    assert looks.count == count


async def test_a_session_that_is_gone_ends_every_watch_with_its_error() -> None:
    looks = Looks(1_000_000)
    looks.gone = True
    watches = SessionWatches(looks.look, at_once)
    ends = await asyncio.gather(*(followed(watches) for _ in range(5)), return_exceptions=True)

    assert [type(end) for end in ends] == [NotFoundError] * 5


async def test_a_session_that_runs_again_is_watched_again() -> None:
    looks = Looks(2)
    watches = SessionWatches(looks.look, at_once)
    assert await followed(watches) == [1, 2]
    looks.event_count = 4

    assert await followed(watches) == [3, 4]
