"""One contract for every kind of media store: a folder, moto's S3, and LocalBucket where it is installed."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.errors import InterviewError, InvalidInputError, NotFoundError, UnavailableError
from chassis.store import MediaStore
from chassis.store.settings import MIN_PART_BYTES
from tests.folders import files_below
from tests.s3_servers import PAGE_COUNT, S3Server, has_localbucket, localbucket_server

pytestmark = pytest.mark.anyio

PART_BYTES = MIN_PART_BYTES
ODD_NAMES = [
    "a b",
    "é",
    "100%",
    "a+b&c=d",
    "a#b",
    "q?x",
    "~tilde",
    "[1]",
    "日本",
    "%2F",
    "quote'\"",
    "a;b,c@:",
]


@dataclass(frozen=True)
class Kind:
    """A kind of store at test."""

    store: MediaStore
    server: S3Server | None
    bucket: str
    folder: Path

    def left_parts(self) -> int:
        """Count what unfinished writes have left."""
        if self.server is not None:
            return self.server.unfinished_upload_count(self.bucket)
        return len([path for path in files_below(self.folder) if "#" in path.name])


@pytest.fixture(scope="module")
def localbucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not has_localbucket():
        pytest.skip("LocalBucket is not installed: pip install localbucket")
    with localbucket_server(tmp_path_factory.mktemp("localbucket")) as server:
        yield server


@pytest.fixture(params=["folder", "server", "localbucket"], ids=["folder", "moto", "localbucket"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    if request.param == "folder":
        return Kind(MediaStore(tmp_path.as_uri()), None, "", tmp_path)
    server: S3Server = request.getfixturevalue(request.param)
    bucket = server.new_bucket()
    return Kind(server.store(bucket, part_bytes=PART_BYTES), server, bucket, tmp_path)


@pytest.fixture
def store(kind: Kind) -> MediaStore:
    return kind.store


async def blocks_of(data: bytes, block_bytes: int = 1 << 20) -> AsyncIterator[bytes]:
    for start in range(0, len(data), block_bytes):
        yield data[start : start + block_bytes]


async def read(store: MediaStore, key: str, start: int, end: int) -> bytes:
    return b"".join([block async for block in store.read_range(key, start, end)])


@pytest.mark.parametrize("size_bytes", [0, 1, PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES + 17])
async def test_a_recording_of_any_size_comes_back_with_the_same_digest(
    store: MediaStore, tmp_path: Path, size_bytes: int
) -> None:
    recording, copy = tmp_path / "recording", tmp_path / "copy"
    recording.write_bytes(os.urandom(size_bytes))

    await store.put_file("sessions/1/media/1.mp4", recording)
    await store.get_file("sessions/1/media/1.mp4", copy)

    assert await store.size_bytes("sessions/1/media/1.mp4") == size_bytes
    assert hashlib.sha256(copy.read_bytes()).digest() == hashlib.sha256(recording.read_bytes()).digest()


async def test_what_is_streamed_in_is_read_by_ranges(store: MediaStore) -> None:
    data = os.urandom(2 * PART_BYTES + 5)

    assert await store.put_blocks("a/1", blocks_of(data)) == len(data)

    for start, end in [(0, 1), (0, len(data)), (PART_BYTES - 1, PART_BYTES + 1), (len(data) - 1, len(data))]:
        assert await read(store, "a/1", start, end) == data[start:end]
    assert await read(store, "a/1", 3, 3) == b""


async def test_bytes_are_replaced_whole(store: MediaStore) -> None:
    await store.put_bytes("result.json", b"the longer one")
    await store.put_bytes("result.json", b"short")

    assert await store.get_bytes("result.json") == b"short"


async def test_large_bytes_are_kept_too(store: MediaStore) -> None:
    data = os.urandom(PART_BYTES + 1)

    await store.put_bytes("large", data)

    assert await store.get_bytes("large") == data


async def test_what_is_written_once_stays_as_it_is(store: MediaStore) -> None:
    assert await store.put_bytes_once("outputs/1.pb", b"first")
    assert await store.put_bytes_once("outputs/1.pb", b"first")
    assert not await store.put_bytes_once("outputs/1.pb", b"other")

    assert await store.get_bytes("outputs/1.pb") == b"first"


async def test_of_many_writers_at_once_one_wins(store: MediaStore) -> None:
    outcomes = await asyncio.gather(
        *(store.put_bytes_once("outputs/1.pb", b"of %d" % number) for number in range(12))
    )

    assert outcomes.count(True) == 1
    assert await store.get_bytes("outputs/1.pb") == b"of %d" % outcomes.index(True)


async def test_a_name_may_hold_any_character(store: MediaStore) -> None:
    keys = {f"odd/{name}/{name}.mp4" for name in ODD_NAMES}

    for key in keys:
        await store.put_bytes(key, key.encode())
        assert await store.get_bytes(key) == key.encode()
        assert store.key(store.uri(key)) == key

    assert {item.key for item in await store.list("odd")} == keys
    await store.delete_prefix("odd")
    assert await store.list("odd") == []


async def test_what_is_not_there_is_not_found(store: MediaStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        await store.get_bytes("none")
    assert caught.value.reason == "OBJECT_NOT_FOUND"
    with pytest.raises(NotFoundError):
        await store.get_file("none", tmp_path / "copy")
    with pytest.raises(NotFoundError):
        await read(store, "none", 0, 10)

    assert await store.size_bytes("none") is None
    assert await store.list("none") == []
    await store.delete("none")
    await store.delete_prefix("none")


async def test_a_recording_over_the_limit_is_not_copied(store: MediaStore, tmp_path: Path) -> None:
    await store.put_bytes("a", b"0123456789")

    with pytest.raises(InvalidInputError) as caught:
        await store.get_file("a", tmp_path / "copy", max_bytes=9)

    assert caught.value.reason == "MEDIA_TOO_LARGE"
    assert not (tmp_path / "copy").exists()


async def test_listing_and_deleting_go_over_all_pages_and_stay_inside_their_prefix(store: MediaStore) -> None:
    keys = {f"sessions/1/{number:04}" for number in range(3 * PAGE_COUNT + 1)}
    await asyncio.gather(*(store.put_bytes(key, b"x") for key in keys))
    await store.put_bytes("sessions/10/1", b"neighbour")

    assert {item.key for item in await store.list("sessions/1")} == keys
    await store.delete_prefix("sessions/1")

    assert [item.key for item in await store.list("sessions")] == ["sessions/10/1"]


async def test_two_versions_of_an_object_never_mix(store: MediaStore) -> None:
    size_bytes = 2 * PART_BYTES
    await store.put_bytes("a", b"1" * size_bytes)

    blocks = store.read_range("a", 0, size_bytes)
    first = await anext(blocks)
    await store.put_bytes("a", b"2" * size_bytes)
    with pytest.raises(UnavailableError) as caught:
        async for block in blocks:
            assert set(block) == {ord("1")}

    assert set(first) == {ord("1")}
    assert caught.value.reason == "OBJECT_CHANGED"


async def test_a_stream_that_breaks_leaves_neither_object_nor_part(kind: Kind) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield os.urandom(PART_BYTES)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await kind.store.put_blocks("a", breaking())

    assert kind.left_parts() == 0
    assert await kind.store.size_bytes("a") is None


@pytest.mark.parametrize("block_count", [0, 1, 2, 3, 7])
async def test_a_write_that_is_cancelled_leaves_neither_object_nor_part(kind: Kind, block_count: int) -> None:
    reached = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        for _ in range(block_count):
            yield bytes(PART_BYTES - 1)
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(kind.store.put_blocks("a", waiting()))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert kind.left_parts() == 0
    assert await kind.store.size_bytes("a") is None


@pytest.mark.parametrize("turns", [1, 3, 10, 30, 100])
async def test_a_write_that_is_cancelled_at_any_moment_leaves_no_part(
    kind: Kind, tmp_path: Path, turns: int
) -> None:
    recording = tmp_path.parent / f"{tmp_path.name}-recording"
    recording.write_bytes(bytes(3 * PART_BYTES))
    task = asyncio.create_task(kind.store.put_file("a", recording))
    for _ in range(turns):
        await asyncio.sleep(0.002)
    task.cancel()
    done = await asyncio.gather(task, return_exceptions=True)

    assert kind.left_parts() == 0
    assert await kind.store.size_bytes("a") in (None, 3 * PART_BYTES)
    assert done[0] is None or isinstance(done[0], asyncio.CancelledError)


async def test_more_writes_than_places_all_come_through(store: MediaStore) -> None:
    contents = [os.urandom(PART_BYTES + number) for number in range(8)]

    await asyncio.gather(
        *(store.put_blocks(f"a/{number}", blocks_of(data)) for number, data in enumerate(contents))
    )

    for number, data in enumerate(contents):
        assert await store.get_bytes(f"a/{number}") == data


async def test_an_address_for_a_client_exists_where_the_store_can_sign(kind: Kind) -> None:
    await kind.store.put_bytes("sessions/1/media/1.mp4", b"0123456789")

    address = await kind.store.signed_url("sessions/1/media/1.mp4", 60)

    assert (address is None) == (kind.server is None)


async def test_a_key_that_can_be_no_object_is_an_error_of_ours(store: MediaStore) -> None:
    for key in ("a/../b", "a//b", "."):
        with pytest.raises(InterviewError):
            await store.put_bytes(key, b"x")
