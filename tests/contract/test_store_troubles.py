"""S3 over bad links and from busy servers: what is accepted is whole, what fails says so, nothing hangs."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.errors import UnavailableError
from chassis.store import MediaStore
from chassis.store.settings import MIN_PART_BYTES
from tests.s3_servers import S3Server
from tests.tcp_proxy import Proxy

pytestmark = pytest.mark.anyio

SLOW_DOWN = (
    b"HTTP/1.1 503 Slow Down\r\nContent-Length: 69\r\nConnection: close\r\n\r\n"
    b"<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"
)
KEY = "sessions/1/media/1.mp4"


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording"
    path.write_bytes(os.urandom(3 * MIN_PART_BYTES + 7))
    return path


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def test_a_body_that_breaks_in_the_middle_goes_on_where_it_stopped(
    store: MediaStore, near: MediaStore, proxy: Proxy, recording: Path, tmp_path: Path
) -> None:
    await near.put_file(KEY, recording)
    proxy.troubles.cut_answer_after_bytes = [2_000_000, 400_000, 3_000_000]

    await store.get_file(KEY, tmp_path / "copy")

    assert digest(tmp_path / "copy") == digest(recording)
    assert proxy.troubles.cut_answer_after_bytes == []


async def test_a_link_that_breaks_again_and_again_is_read_through_as_long_as_it_moves(
    store: MediaStore, near: MediaStore, proxy: Proxy, recording: Path, tmp_path: Path
) -> None:
    await near.put_file(KEY, recording)
    proxy.troubles.cut_every_answer_after_bytes = 2_500_000

    await store.get_file(KEY, tmp_path / "copy")

    assert digest(tmp_path / "copy") == digest(recording)


async def test_a_body_that_never_comes_is_given_up(
    server: S3Server, bucket: str, near: MediaStore, proxy: Proxy, recording: Path, tmp_path: Path
) -> None:
    await near.put_file(KEY, recording)
    store = server.store(bucket, proxy.url, retry_count=1)
    proxy.troubles.cut_every_answer_after_bytes = 600

    with pytest.raises(UnavailableError) as caught:
        await store.get_file(KEY, tmp_path / "copy")

    assert caught.value.reason == "STORE_UNAVAILABLE"


async def test_another_version_is_not_mixed_in_after_a_break(
    store: MediaStore, near: MediaStore, proxy: Proxy
) -> None:
    size_bytes = MIN_PART_BYTES
    await near.put_bytes(KEY, b"1" * size_bytes)
    proxy.troubles.cut_answer_after_bytes = [2_500_000]
    blocks = store.read_range(KEY, 0, size_bytes)
    received = await anext(blocks)
    await near.put_bytes(KEY, b"2" * size_bytes)

    with pytest.raises(UnavailableError):
        async for block in blocks:
            received += block

    assert set(received) == {ord("1")}


async def test_a_part_that_breaks_is_sent_again(
    store: MediaStore, near: MediaStore, server: S3Server, proxy: Proxy, recording: Path, tmp_path: Path
) -> None:
    proxy.troubles.cut_request_after_bytes = [MIN_PART_BYTES // 2, 1_000_000]

    await store.put_file(KEY, recording)

    await near.get_file(KEY, tmp_path / "copy")
    assert digest(tmp_path / "copy") == digest(recording)
    assert proxy.troubles.cut_request_after_bytes == []


async def test_a_busy_server_is_asked_again(store: MediaStore, proxy: Proxy) -> None:
    proxy.troubles.answers = [SLOW_DOWN] * 3

    await store.put_bytes("a", b"data")

    assert await store.get_bytes("a") == b"data"


async def test_a_server_that_stays_busy_is_not_asked_for_ever(
    server: S3Server, bucket: str, proxy: Proxy
) -> None:
    proxy.troubles.answers = [SLOW_DOWN] * 100
    store = server.store(bucket, proxy.url, retry_count=1)

    with pytest.raises(UnavailableError) as caught:
        await store.put_bytes("a", b"data")

    assert caught.value.reason == "STORE_UNAVAILABLE"
    assert caught.value.retry_after_s
    assert proxy.connection_count <= 4


async def test_an_upload_whose_last_answer_is_lost_counts_as_done(
    store: MediaStore, near: MediaStore, server: S3Server, bucket: str, proxy: Proxy, recording: Path
) -> None:
    proxy.troubles.lose_answer_to = [b"<CompleteMultipartUpload"]

    await store.put_file(KEY, recording)

    assert proxy.troubles.lose_answer_to == []
    assert await near.size_bytes(KEY) == len(await asyncio.to_thread(recording.read_bytes))
    assert server.unfinished_upload_count(bucket) == 0


async def test_a_single_write_whose_answer_is_lost_was_still_the_only_one(
    store: MediaStore, near: MediaStore, proxy: Proxy
) -> None:
    proxy.troubles.lose_answer_to = [b"if-none-match"]

    assert await store.put_bytes_once("outputs/1.pb", b"data")

    assert proxy.troubles.lose_answer_to == []
    assert await near.get_bytes("outputs/1.pb") == b"data"


async def test_a_slow_link_takes_long_and_ends(
    server: S3Server, bucket: str, near: MediaStore, proxy: Proxy, tmp_path: Path
) -> None:
    recording = tmp_path / "recording"
    recording.write_bytes(os.urandom(MIN_PART_BYTES + 7))
    proxy.troubles.up_bytes_per_s = 1_600_000
    # A part takes longer than a request of few bytes may: its time follows from the least rate.
    store = server.store(
        bucket, proxy.url, part_bytes=MIN_PART_BYTES, request_timeout_s=2.0, least_bytes_per_s=100_000
    )

    await store.put_file(KEY, recording)

    await near.get_file(KEY, tmp_path / "copy")
    assert digest(tmp_path / "copy") == digest(recording)


async def test_a_server_that_never_answers_is_given_up(
    server: S3Server, bucket: str, proxy: Proxy, recording: Path
) -> None:
    proxy.troubles.hangs = True
    store = server.store(
        bucket, proxy.url, request_timeout_s=0.3, least_bytes_per_s=1 << 30, retry_count=1, read_timeout_s=0.3
    )

    for asked in (
        store.put_file(KEY, recording),
        store.get_bytes(KEY),
        store.list("a"),
        store.size_bytes("a"),
    ):
        with pytest.raises(UnavailableError) as caught:
            await asked
        assert caught.value.reason == "STORE_UNAVAILABLE"


def held_files() -> set[Path]:
    return {link.resolve() for link in Path("/proc/self/fd").iterdir()}


async def test_a_write_that_fails_lets_its_file_go(
    server: S3Server, bucket: str, proxy: Proxy, recording: Path
) -> None:
    proxy.troubles.hangs = True
    store = server.store(bucket, proxy.url, request_timeout_s=0.3, least_bytes_per_s=1 << 30, retry_count=0)

    with pytest.raises(UnavailableError) as caught:
        await store.put_file(KEY, recording)

    assert recording not in held_files(), caught.value


async def test_a_cancelled_upload_does_not_wait_for_a_server_that_hangs(
    server: S3Server, bucket: str, proxy: Proxy, recording: Path
) -> None:
    store = server.store(bucket, proxy.url, request_timeout_s=1.0, part_bytes=MIN_PART_BYTES)
    begun = asyncio.Event()

    async def blocks() -> AsyncIterator[bytes]:
        yield bytes(MIN_PART_BYTES)
        proxy.troubles.hangs = True
        begun.set()
        while True:
            yield bytes(MIN_PART_BYTES)

    task = asyncio.create_task(store.put_blocks(KEY, blocks()))
    await begun.wait()
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=60)

    assert done
    assert task.cancelled()
