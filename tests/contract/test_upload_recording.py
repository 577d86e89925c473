"""A recording that is sent to the orchestrator lies in the store, and a session can be made of it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.containers import sniff_extension
from chassis.errors import InterviewError
from chassis.media import MAX_CHUNK_BYTES, MediaInbox
from chassis.status import from_rpc_error
from chassis.store import MediaStore
from gateway.uploads.submission import media_key
from interview.v1 import orchestrator_pb2
from orchestrator.recordings import MAX_UPLOAD_COUNT, Recordings, recording_key
from tests.fakes.recording import make_recording
from tests.folders import ROOT, files_below
from tests.world import COMPLETED, FAILED, World, running

pytestmark = pytest.mark.anyio

Request = orchestrator_pb2.UploadRecordingRequest
Config = orchestrator_pb2.UploadRecordingConfig


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with running(tmp_path, max_media_bytes=3_000_000) as running_world:
        yield running_world


@pytest.fixture
def video(tmp_path: Path) -> bytes:
    return make_recording(tmp_path / "made.mp4", seconds=1.0).read_bytes()


def config(**fields: Any) -> Any:
    return Request(config=Config(**{"session_id": uuid.uuid4().hex, "position": 1, **fields}))


async def messages(opening: Any, data: bytes, *, chunk_bytes: int = 50_000) -> AsyncIterator[Any]:
    yield opening
    for begin in range(0, len(data), chunk_bytes):
        yield Request(chunk=data[begin : begin + chunk_bytes])


async def upload(world: World, requests: AsyncIterator[Any]) -> Any:
    try:
        return await world.stub.UploadRecording(requests, timeout=30)
    except grpc.aio.AioRpcError as failure:
        raise from_rpc_error(failure) from None


async def refused(world: World, requests: AsyncIterator[Any]) -> InterviewError:
    with pytest.raises(InterviewError) as caught:
        await upload(world, requests)
    return caught.value


def stored(world: World) -> list[str]:
    store = world.folder / "store"
    return sorted(str(path.relative_to(store)) for path in files_below(store))


async def test_what_was_uploaded_becomes_a_session_with_a_result(world: World, video: bytes) -> None:
    session_id = uuid.uuid4().hex
    opening = config(session_id=session_id, position=2, file_name="Anna's answer.MP4")
    reply = await upload(world, messages(opening, video))
    assert (reply.digest, reply.media_bytes) == (hashlib.sha256(video).hexdigest(), len(video))
    assert stored(world) == [f"sessions/{session_id}/media/2.mp4"]

    answer = orchestrator_pb2.AnswerInput(
        uri=reply.uri, digest=reply.digest, media_bytes=reply.media_bytes, position=2, question="Why?"
    )
    await world.create(session_id=session_id, answers=[answer])
    session = await world.until(session_id, COMPLETED, FAILED)

    assert session.state == COMPLETED, session
    assert (await world.result(session_id))["results"][0]["transkripsi_id"]


async def test_the_recording_lies_where_the_gateway_puts_its_own() -> None:
    assert recording_key("ab" * 16, 3, ".webm") == media_key("ab" * 16, 3, ".webm")


async def test_the_same_upload_again_gives_the_same_reply_and_another_one_is_refused(
    world: World, video: bytes
) -> None:
    opening = config(file_name="a.mp4")
    first = await upload(world, messages(opening, video))
    again = await upload(world, messages(opening, video))
    error = await refused(world, messages(opening, video + b"\0"))

    assert again == first
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "RECORDING_EXISTS")
    assert (world.folder / "store" / stored(world)[0]).read_bytes() == video


async def test_a_recording_of_the_gateway_is_not_replaced_under_another_extension(
    world: World, video: bytes
) -> None:
    opening = config()
    mine = world.folder / "store" / "sessions" / opening.config.session_id / "media" / "1.webm"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"another one")

    assert (await refused(world, messages(opening, video))).reason == "RECORDING_EXISTS"
    assert len(stored(world)) == 1


async def test_once_there_is_a_session_nothing_is_added_to_it(world: World, video: bytes) -> None:
    session_id = await world.create()
    await world.until(session_id, COMPLETED)
    before = stored(world)
    error = await refused(world, messages(config(session_id=session_id, position=7), video))

    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "SESSION_EXISTS")
    assert stored(world) == before


@pytest.mark.parametrize(
    ("opening", "data", "reason"),
    [
        (config(session_id="../etc"), b"", "SESSION_ID_INVALID"),
        (config(position=0), b"", "RECORDING_INVALID"),
        (config(position=21), b"", "RECORDING_INVALID"),
        (config(file_name="x" * 256), b"", "RECORDING_INVALID"),
        (Request(chunk=b"a"), b"", "REQUEST_OUT_OF_ORDER"),
        (Request(), b"", "REQUEST_OUT_OF_ORDER"),
        (config(), b"", "MEDIA_EMPTY"),
        (config(file_name="a.mp4"), b"This is a letter.\n" * 100, "NOT_A_VIDEO"),
        (config(file_name="a.mp4"), b"tiny", "NOT_A_VIDEO"),
    ],
)
async def test_what_is_no_recording_is_refused_and_leaves_nothing(
    world: World, opening: Any, data: bytes, reason: str
) -> None:
    error = await refused(world, messages(opening, data))

    assert (error.code, error.reason) == ("INVALID_ARGUMENT", reason)
    assert stored(world) == []


async def test_bounds_hold_while_bytes_arrive(world: World, video: bytes) -> None:
    too_large = await refused(world, messages(config(), video + bytes(3_000_000)))
    too_wide = await refused(
        world, messages(config(), video + bytes(2 * MAX_CHUNK_BYTES), chunk_bytes=MAX_CHUNK_BYTES + 1)
    )

    assert (too_large.reason, too_wide.reason) == ("MEDIA_TOO_LARGE", "CHUNK_TOO_LARGE")
    assert stored(world) == []


async def test_the_bytes_say_what_it_is_and_the_name_is_a_hint(world: World, video: bytes) -> None:
    for name, extension in (("a.mov", ".mov"), ("a.webm", ".mp4"), ("../../a.sh", ".mp4"), ("", ".mp4")):
        reply = await upload(world, messages(config(file_name=name), video))
        assert reply.uri.endswith(f"/media/1{extension}")
    assert sniff_extension(video) == ".mp4"


async def test_a_cancelled_upload_leaves_nothing_and_frees_its_place(world: World, video: bytes) -> None:
    opening = config()

    async def endless() -> AsyncIterator[Any]:
        yield opening
        yield Request(chunk=video)
        await asyncio.sleep(60)

    call = world.stub.UploadRecording(endless(), timeout=30)
    await asyncio.sleep(0.3)
    beside = await refused(world, messages(opening, video))
    call.cancel()
    await asyncio.sleep(0.3)
    assert stored(world) == []

    assert beside.reason == "RECORDING_EXISTS"
    await upload(world, messages(opening, video))


class SlowStore(MediaStore):
    """Writes when the test lets it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def put_file(self, key: str, path: Path) -> None:
        """See `MediaStore`."""
        self.begun.set()
        await self.go.wait()
        await super().put_file(key, path)


async def test_an_upload_cancelled_while_it_is_written_leaves_nothing(tmp_path: Path, video: bytes) -> None:
    store = SlowStore((tmp_path / "store").as_uri())

    async def no_session(_: str) -> None:
        return None

    recordings = Recordings(MediaInbox(max_media_bytes=10_000_000, uri_prefixes=()), store, no_session)
    taking = asyncio.create_task(recordings.take_in(messages(config(), video)))
    await store.begun.wait()
    taking.cancel()
    await asyncio.sleep(0.05)
    store.go.set()
    with pytest.raises(asyncio.CancelledError):
        await taking

    assert await store.list("sessions") == []


async def test_a_session_created_during_the_upload_wins(tmp_path: Path, video: bytes) -> None:
    store = MediaStore((tmp_path / "store").as_uri())
    found = iter([None, "a session"])

    async def find_session(_: str) -> str | None:
        return next(found)

    recordings = Recordings(MediaInbox(max_media_bytes=10_000_000, uri_prefixes=()), store, find_session)
    with pytest.raises(InterviewError) as caught:
        await recordings.take_in(messages(config(), video))

    assert caught.value.reason == "SESSION_EXISTS"
    assert await store.list("sessions") == []


async def test_more_uploads_than_there_are_places_are_told_when_to_come_back(world: World) -> None:
    async def endless() -> AsyncIterator[Any]:
        yield config()
        await asyncio.sleep(60)

    calls = [world.stub.UploadRecording(endless(), timeout=30) for _ in range(MAX_UPLOAD_COUNT)]
    await asyncio.sleep(0.5)
    error = await refused(world, messages(config(), b"a"))
    for call in calls:
        call.cancel()

    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
    assert error.retry_after_s


async def test_a_client_that_falls_silent_is_told_so(tmp_path: Path) -> None:
    inbox = MediaInbox(max_media_bytes=1_000, uri_prefixes=(), stall_timeout_s=0.1)

    async def silent() -> AsyncIterator[Any]:
        yield config()
        await asyncio.sleep(60)

    with pytest.raises(InterviewError) as caught:
        async with inbox.receive_chunks(silent()):
            pass

    assert (caught.value.code, caught.value.reason) == ("DEADLINE_EXCEEDED", "UPLOAD_STALLED")


async def test_the_readmes_example_runs_as_it_stands(tmp_path: Path, video: bytes) -> None:
    readme = (ROOT / "orchestrator" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(# interview_a_file\.py.*?)```", readme, re.DOTALL)
    assert found, "the example has gone from the README"
    (tmp_path / "answer.mp4").write_bytes(video)
    async with running(tmp_path) as world:
        program = found[1].replace("127.0.0.1:50056", world.address)
        command = [sys.executable, "-c", program, str(tmp_path / "answer.mp4")]
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, timeout=60, check=False
        )

    assert done.returncode == 0, done.stderr
    assert '"session_id"' in done.stdout
