"""A fetch that brings the process down is counted before it begins, and not begun without end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chassis.client import is_transient
from chassis.errors import ExhaustedError, UnavailableError
from chassis.store import MediaStore
from orchestrator.stages.fetch_attempts import MAX_DEATH_COUNT, FetchAttempts
from tests.waiting import until

pytestmark = pytest.mark.anyio

KEY = "sessions/a/outputs/1/fetch-0.begun"


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path.as_uri())


async def die(store: MediaStore) -> None:
    """Begin a try and leave behind what kill -9 leaves."""
    async with FetchAttempts(store).counted(KEY):
        left = await store.get_bytes(KEY)
    await store.put_bytes(KEY, left)


async def test_a_try_that_ends_in_any_way_leaves_nothing(store: MediaStore) -> None:
    attempts = FetchAttempts(store)
    async with attempts.counted(KEY):
        assert await store.exists(KEY)
    with pytest.raises(ValueError, match="broken"):
        async with attempts.counted(KEY):
            raise ValueError("broken")

    assert not await store.exists(KEY)


async def test_deaths_are_counted_and_after_the_last_one_the_fetch_is_given_up(store: MediaStore) -> None:
    for _ in range(MAX_DEATH_COUNT):
        await die(store)
    with pytest.raises(ExhaustedError) as caught:
        await die(store)

    assert caught.value.reason == "FETCH_ABANDONED"
    assert not is_transient(caught.value)
    # Somebody who retries the session gets as many tries again.
    await die(store)


async def test_a_try_after_some_deaths_that_goes_well_counts_from_the_beginning_again(
    store: MediaStore,
) -> None:
    for _ in range(MAX_DEATH_COUNT - 1):
        await die(store)
    async with FetchAttempts(store).counted(KEY):
        pass

    assert not await store.exists(KEY)


async def test_a_suspect_of_two_deaths_is_fetched_alone_and_others_wait_for_it(store: MediaStore) -> None:
    for _ in range(2):
        await die(store)
    attempts, running = FetchAttempts(store), set[str]()
    release, both_run = asyncio.Event(), asyncio.Event()
    together: list[set[str]] = []

    async def fetch(name: str, key: str) -> None:
        async with attempts.counted(key):
            running.add(name)
            together.append(set(running))
            if len(running) == 2:
                both_run.set()
            await release.wait()
            running.discard(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(fetch("first", "a/1.begun"))
        tasks.create_task(fetch("second", "a/2.begun"))
        await both_run.wait()
        tasks.create_task(fetch("suspect", KEY))
        await until(lambda: attempts.alone_count == 1)
        tasks.create_task(fetch("later", "a/3.begun"))
        await asyncio.sleep(0.2)
        assert running == {"first", "second"}
        # One that waits to be alone is not counted as begun.
        assert await store.get_bytes(KEY) == b'{"begun_count": 2}'
        release.set()

    assert together[2:] == [{"suspect"}, {"later"}]


async def test_a_suspect_that_is_cancelled_while_it_waits_keeps_nobody_waiting(store: MediaStore) -> None:
    for _ in range(2):
        await die(store)
    attempts = FetchAttempts(store)
    async with attempts.counted("a/1.begun"):
        suspect = asyncio.create_task(attempts.counted(KEY).__aenter__())
        await asyncio.sleep(0.1)
        suspect.cancel()
        with pytest.raises(asyncio.CancelledError):
            await suspect
        async with asyncio.timeout(30), attempts.counted("a/2.begun"):
            pass


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"begun_count": "many"}', b"\xff"])
async def test_a_count_that_can_not_be_read_is_one_death(store: MediaStore, kept: bytes) -> None:
    await store.put_bytes(KEY, kept)
    async with FetchAttempts(store).counted(KEY):
        assert await store.get_bytes(KEY) == b'{"begun_count": 2}'


class AwayStore(MediaStore):
    """A store that can't be reached when something is to be removed."""

    async def delete(self, key: str) -> None:
        raise UnavailableError("away", reason="STORE_UNAVAILABLE")


async def test_a_store_that_is_away_at_the_end_does_not_hide_how_the_try_went(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"):
        async with FetchAttempts(AwayStore(tmp_path.as_uri())).counted(KEY):
            raise ValueError("broken")
