"""A recording that is read while it is still written, in a folder and on S3."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from chassis.store import MediaStore
from chassis.store.arriving import ArrivalLostError, Arrived, ArrivingReader, ArrivingWriter
from orchestrator.early.left_over import LeftArrivals
from tests.s3_servers import S3Server

pytestmark = pytest.mark.anyio

SESSION_ID = "0123456789abcdef0123456789abcdef"
PARTS = [os.urandom(size) for size in (1, 1000, 1 << 20, 7)]
WHOLE = b"".join(PARTS)


@pytest.fixture(params=["folder", "moto"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> MediaStore:
    if request.param == "folder":
        return MediaStore(tmp_path.as_uri())
    server: S3Server = request.getfixturevalue("server")
    return server.store(server.new_bucket())


def reader_of(store: MediaStore, stall_timeout_s: float = 30.0) -> ArrivingReader:
    return ArrivingReader(store, SESSION_ID, 1, look_interval_s=0.01, stall_timeout_s=stall_timeout_s)


async def all_of(reader: ArrivingReader, on_part: Callable[[bytes], None] = lambda _: None) -> bytes:
    whole = b""
    async for part in reader.parts():
        whole += part
        on_part(part)
    return whole


async def written(store: MediaStore) -> ArrivingWriter:
    writer = ArrivingWriter(store, SESSION_ID, 1)
    await writer.begin()
    for part in PARTS:
        await writer.append(part)
    return writer


async def names_in(store: MediaStore) -> list[str]:
    return [item.key for item in await store.list("arriving")]


async def test_readers_get_each_part_as_it_is_written_and_all_of_them_the_same(shared: MediaStore) -> None:
    writer = ArrivingWriter(shared, SESSION_ID, 1)
    await writer.begin()
    readers, seen = [reader_of(shared), reader_of(shared)], asyncio.Event()
    reading = [asyncio.create_task(all_of(reader, lambda _: seen.set())) for reader in readers]
    for part in PARTS:
        seen.clear()
        await writer.append(part)
        await seen.wait()  # It has come before the next one is there.
    arrived = await writer.finish()

    assert await asyncio.gather(*reading) == [WHOLE, WHOLE]
    assert arrived == Arrived(len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
    assert [reader.arrived for reader in readers] == [arrived, arrived]


async def test_a_reader_that_comes_late_gets_all_of_it(shared: MediaStore) -> None:
    await (await written(shared)).finish()

    assert await all_of(reader_of(shared)) == WHOLE


async def test_what_is_given_up_leaves_nothing_and_its_readers_stop(shared: MediaStore) -> None:
    writer, halfway = await written(shared), asyncio.Event()
    reading = asyncio.create_task(all_of(reader_of(shared), lambda _: halfway.set()))
    await halfway.wait()
    await writer.abandon()

    with pytest.raises(ArrivalLostError):
        await reading
    assert await names_in(shared) == []


async def test_what_its_reader_does_not_want_any_more_is_not_written_any_further(shared: MediaStore) -> None:
    writer = await written(shared)
    reader = reader_of(shared)
    await anext(reader.parts())
    await reader.remove()

    with pytest.raises(ArrivalLostError):
        await writer.append(b"more")
    assert await names_in(shared) == []
    with pytest.raises(ArrivalLostError):
        await writer.finish()


async def test_what_was_read_is_removed_by_its_reader(shared: MediaStore) -> None:
    await (await written(shared)).finish()
    reader = reader_of(shared)
    await all_of(reader)
    await reader.remove()

    assert await names_in(shared) == []


async def test_a_reader_does_not_remove_what_took_the_place_of_its_own(shared: MediaStore) -> None:
    await (await written(shared)).finish()
    reader = reader_of(shared)
    await all_of(reader)
    again = await written(shared)
    await reader.remove()
    await again.finish()

    assert await all_of(reader_of(shared)) == WHOLE


async def test_two_arrivals_of_one_recording_never_mix(shared: MediaStore) -> None:
    await written(shared)
    halfway, go_on = asyncio.Event(), asyncio.Event()

    async def read() -> bytes:
        whole = b""
        async for part in reader_of(shared).parts():
            whole += part
            halfway.set()
            await go_on.wait()
        return whole

    reading = asyncio.create_task(read())
    await halfway.wait()
    await written(shared)
    go_on.set()

    with pytest.raises(ArrivalLostError):
        await reading


async def test_a_writer_that_was_killed_stops_its_readers_after_a_while(shared: MediaStore) -> None:
    await written(shared)

    with pytest.raises(ArrivalLostError):
        await all_of(reader_of(shared, stall_timeout_s=0.1))


async def test_a_part_that_was_changed_is_noticed(shared: MediaStore) -> None:
    await (await written(shared)).finish()
    key = next(name for name in await names_in(shared) if not name.endswith("state"))
    await shared.put_bytes(key, b"something else")

    with pytest.raises(ArrivalLostError):
        await all_of(reader_of(shared))


async def test_what_nobody_takes_care_of_any_more_is_swept(shared: MediaStore) -> None:
    clock = [0.0]
    sweep = LeftArrivals(shared, 100.0, lambda: clock[0])
    writer = await written(shared)
    await sweep.once()
    clock[0] = 99.0
    await sweep.once()
    assert await names_in(shared) != []
    await writer.append(b"It still comes.")
    clock[0] = 101.0
    await sweep.once()
    assert await names_in(shared) != []

    clock[0] = 202.0
    await sweep.once()
    assert await names_in(shared) == []
