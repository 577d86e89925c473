"""A recording that takes its time is copied into the store while it arrives. The upload is as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.errors import UnavailableError
from chassis.store.arriving import ArrivingReader
from gateway.uploads.early import EarlyCopies
from tests.folders import files_below
from tests.gateway_bench import MP4, WEBM, Bench
from tests.waiting import until

pytestmark = pytest.mark.anyio

BOUNDARY = "b0undary"
RECORDING = WEBM + bytes(3000)
INDEX_LAST = MP4[:32] + b"\x00\x00\x40\x00mdat" + bytes(3000)


class Upload:
    """An upload whose bytes come as the test says."""

    def __init__(self, bench: Bench, **headers: str) -> None:
        self.bench = bench
        self.more: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.broken = False
        kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
        request = bench.http.post("/upload", content=self._body(), headers=kind | headers)
        self.answer = asyncio.create_task(request)

    async def _body(self) -> AsyncIterator[bytes]:
        while (block := await self.more.get()) is not None:
            yield block
        if self.broken:
            raise httpx.ReadError("The client has gone.")

    def field(self, name: str, value: str) -> None:
        self.more.put_nowait(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        )

    def file(self, content: bytes, name: str = "a.webm") -> None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="videos"; filename="{name}"\r\n\r\n'
        self.more.put_nowait(head.encode() + content)

    def send(self, content: bytes) -> None:
        self.more.put_nowait(content)

    async def end(self) -> dict[str, Any]:
        self.more.put_nowait(f"\r\n--{BOUNDARY}--\r\n".encode())
        self.more.put_nowait(None)
        reply = await self.answer
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    async def break_off(self) -> None:
        self.broken = True
        self.more.put_nowait(None)
        await asyncio.gather(self.answer, return_exceptions=True)


def bench_of(folder: Path, *, after_s: float = 0.05, max_count: int = 2) -> Bench:
    bench = Bench(folder, max_file_bytes=1_000_000)
    bench.gateway.early_copies = EarlyCopies(
        bench.orchestrator, bench.store, max_count=max_count, after_s=after_s, copy_interval_s=0.02
    )
    return bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of(tmp_path)


def copies(bench: Bench) -> list[Path]:
    return files_below(bench.store_dir / "arriving")


BLOCK = bytes(300_000)
"""Enough for the gateway to write it to its disk."""


async def test_what_arrives_is_copied_while_it_arrives_and_is_the_whole_recording(bench: Bench) -> None:
    upload = Upload(bench)
    upload.field("questions", "Why?")
    upload.field("language", "id")
    upload.file(RECORDING + BLOCK)
    await until(lambda: bench.orchestrator.follow_calls)
    ((session_id, position, language),) = bench.orchestrator.follow_calls
    reader = ArrivingReader(bench.store, session_id, position, look_interval_s=0.01)
    parts = reader.parts()
    first = await anext(parts)
    assert bench.orchestrator.drafts == {}
    upload.send(BLOCK + b"the end")
    answer = await upload.end()

    whole = first + b"".join([part async for part in parts])
    assert whole == RECORDING + 2 * BLOCK + b"the end"
    assert (answer["session_id"], position, language) == (session_id, 1, "id")
    (draft,) = bench.orchestrator.drafts.values()
    assert reader.arrived is not None and reader.arrived.digest == draft.answers[0].digest


async def test_each_recording_of_an_upload_is_copied_under_its_position(bench: Bench) -> None:
    upload = Upload(bench)
    upload.field("questions", "Why?")
    upload.field("questions", "How?")
    upload.file(RECORDING + BLOCK)
    await until(lambda: len(bench.orchestrator.follow_calls) == 1)
    upload.send(b"\r\n")
    upload.file(RECORDING + BLOCK)
    await until(lambda: len(bench.orchestrator.follow_calls) == 2)
    await upload.end()

    assert [position for _, position, _ in bench.orchestrator.follow_calls] == [1, 2]


async def test_a_fast_upload_is_written_once(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, after_s=30.0)
    upload = Upload(bench)
    upload.field("questions", "Why?")
    upload.file(RECORDING + BLOCK)
    await upload.end()
    await asyncio.sleep(0.1)

    assert (copies(bench), bench.orchestrator.follow_calls) == ([], [])


async def test_a_recording_with_its_index_last_is_not_copied(bench: Bench) -> None:
    upload = Upload(bench)
    upload.field("questions", "Why?")
    upload.file(INDEX_LAST + BLOCK, "a.mp4")
    await asyncio.sleep(0.3)
    assert copies(bench) == []
    upload.send(BLOCK)
    await upload.end()

    assert bench.orchestrator.follow_calls == []


async def test_a_broken_upload_leaves_no_copy(bench: Bench) -> None:
    upload = Upload(bench)
    upload.field("questions", "Why?")
    upload.file(RECORDING + BLOCK)
    await until(lambda: bench.orchestrator.follow_calls)
    await upload.break_off()

    await until(lambda: not bench.left_behind())


async def test_a_copy_that_nobody_reads_is_removed_and_the_upload_goes_on(bench: Bench) -> None:
    bench.orchestrator.follows = False
    upload = Upload(bench)
    upload.field("questions", "Why?")
    upload.file(RECORDING + BLOCK)
    await until(lambda: bench.orchestrator.follow_calls)
    await until(lambda: not copies(bench))
    upload.send(BLOCK)
    await upload.end()

    assert copies(bench) == []


async def test_an_orchestrator_that_is_away_costs_the_copy_only(bench: Bench) -> None:
    upload = Upload(bench)
    upload.field("questions", "Why?")
    await until(lambda: not upload.more.qsize())
    bench.orchestrator.failure = UnavailableError("It is away.", reason="ORCHESTRATOR_UNAVAILABLE")
    upload.file(RECORDING + BLOCK)
    await asyncio.sleep(0.3)
    assert copies(bench) == []
    bench.orchestrator.failure = None
    await upload.end()

    assert len(bench.orchestrator.drafts) == 1


async def test_more_recordings_than_are_allowed_are_not_copied(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, max_count=1)
    uploads = [Upload(bench), Upload(bench)]
    for upload in uploads:
        upload.field("questions", "Why?")
        upload.file(RECORDING + BLOCK)
    await until(lambda: bench.orchestrator.follow_calls)
    await asyncio.sleep(0.3)
    for upload in uploads:
        await upload.end()

    assert len(bench.orchestrator.follow_calls) == 1


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, max_count=0)
    upload = Upload(bench)
    upload.field("questions", "Why?")
    upload.file(RECORDING + BLOCK)
    await asyncio.sleep(0.3)
    await upload.end()

    assert (copies(bench), bench.orchestrator.follow_calls) == ([], [])


async def test_a_repeat_of_an_accepted_upload_is_not_copied(bench: Bench) -> None:
    for number in range(2):
        upload = Upload(bench, **{"Idempotency-Key": "once"})
        upload.field("questions", "Why?")
        upload.file(RECORDING + BLOCK)
        if number == 0:
            await until(lambda: bench.orchestrator.follow_calls)
        else:
            await asyncio.sleep(1.0)  # Twenty times as long as it takes a copy to begin.
        await upload.end()

    assert len(bench.orchestrator.follow_calls) == 1
