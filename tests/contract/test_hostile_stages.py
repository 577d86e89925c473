"""Hostile recordings over the sockets of stages that decode them: refused, and the stage goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.resident import resident_mib
from chassis.decoding.child_limits import ChildLimits
from chassis.errors import InvalidInputError
from tests.child_processes import decoding_children
from tests.folders import ROOT
from tests.hostile_pictures import changing, growing, many_channels
from tests.hostile_recordings import bombs, mutated, playlists, polyglots
from tests.hostile_stages import KINDS, HostileStage, hostile_stage
from tests.recordings_made import write_recording

pytestmark = pytest.mark.anyio

COPIES_VARIABLE = "INTERVIEW_HOSTILE_COPIES"
"""Set it to send more fuzzed copies of the demo clip: by default every run sends the same few."""
COPY_COUNT = int(os.environ.get(COPIES_VARIABLE, "3"))
SECRET = "a line that nobody may read"
MAX_GROWTH_MIB = 150.0
"""What this process may grow by, the fake models and the test's own files included."""


@pytest.fixture
def plain(tmp_path: Path) -> bytes:
    return write_recording(tmp_path / "plain.mp4", duration_s=1.0).read_bytes()


@dataclass
class Answers:
    """What a stage said to each recording: `ok`, or a reason."""

    by_name: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)

    async def ask(self, stage: HostileStage, name: str, content: bytes) -> None:
        try:
            self.texts.append(str(await stage.ask(content, f"{name}.mp4")))
        except InvalidInputError as error:
            self.by_name[name] = error.reason
            self.texts.append(error.message)
        else:
            self.by_name[name] = "ok"

    async def ask_all(self, stage: HostileStage, files: dict[str, bytes]) -> None:
        begun_mib = resident_mib("VmRSS")
        waiting = iter(files.items())
        await asyncio.gather(*(self._ask_next(stage, waiting) for _ in range(2)))
        assert resident_mib("VmRSS") - begun_mib < MAX_GROWTH_MIB
        assert len(decoding_children()) <= 1, "a child outlived its call"

    async def _ask_next(self, stage: HostileStage, waiting: Iterator[tuple[str, bytes]]) -> None:
        for name, content in waiting:
            await self.ask(stage, name, content)


@contextlib.asynccontextmanager
async def still_well(
    kind: str, folder: Path, plain: bytes, limits: ChildLimits | None = None
) -> AsyncIterator[HostileStage]:
    """Run a stage that reads a plain recording in the end as it did in the beginning, and leaves no file."""
    async with hostile_stage(kind, folder, *([limits] if limits else [])) as stage:
        first = await stage.ask(plain)
        yield stage
        assert type(await stage.ask(plain)) is type(first)
        assert list((folder / "spool").iterdir()) == []
        assert not (folder / "written").exists()


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield f"127.0.0.1:{server.getsockname()[1]}", server


@pytest.mark.parametrize("kind", ["speaker", "vision"])
async def test_what_claims_to_be_large_is_refused_or_read_for_what_it_is(
    tmp_path: Path, plain: bytes, kind: str
) -> None:
    async with still_well(kind, tmp_path, plain) as stage:
        answers = Answers()
        await answers.ask_all(stage, bombs())

    assert all(reason == "ok" or reason.startswith("MEDIA_") for reason in answers.by_name.values())
    for name in ("many_samples", "fragments", "edits", "tracks", "boxes"):
        assert answers.by_name[name] != "ok"


@pytest.mark.parametrize("kind", ["transcriber", "vision"])
async def test_what_points_elsewhere_opens_no_file_and_no_connection(
    tmp_path: Path, plain: bytes, kind: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    with listening() as (address, server):
        files = playlists(str(secret), address) | polyglots(plain, str(secret), address)
        async with still_well(kind, tmp_path, plain) as stage:
            answers = Answers()
            await answers.ask_all(stage, files)
        with pytest.raises(BlockingIOError):
            server.accept()

    assert SECRET not in "".join(answers.texts)
    texts = [name for name in playlists("x", "y:1") if not name.startswith(("mp4_", "mov_"))]
    assert {answers.by_name[name] for name in texts} == {"MEDIA_UNDECODABLE"}


@pytest.mark.parametrize("kind", KINDS)
async def test_fuzzed_copies_of_the_demo_clip_end_no_stage(tmp_path: Path, plain: bytes, kind: str) -> None:
    seed = 7 if COPIES_VARIABLE not in os.environ else int.from_bytes(os.urandom(4), "big")
    copies = mutated((ROOT / "demo" / "answer-2.mp4").read_bytes(), COPY_COUNT, seed)
    async with still_well(kind, tmp_path, plain) as stage:
        answers = Answers()
        await answers.ask_all(stage, {f"copy_{number}": copy for number, copy in enumerate(copies)})

    reasons = set(answers.by_name.values())
    assert all(reason == "ok" or reason.startswith("MEDIA_") for reason in reasons), f"seed {seed}"


async def test_pictures_that_grow_beyond_the_limit_cost_no_memory_and_are_left_out(
    tmp_path: Path, plain: bytes
) -> None:
    bomb = growing(tmp_path / "bomb.mov", 6_000, large_count=2).read_bytes()
    async with still_well("vision", tmp_path, plain) as stage:
        reply = await stage.ask(bomb)

    assert reply.report.quality.corrupt_packet_count == 2
    assert reply.report.sampled_frame_count == 10


async def test_pictures_that_need_more_memory_than_a_decoder_has_are_refused_and_others_go_on(
    tmp_path: Path, plain: bytes
) -> None:
    bomb = growing(tmp_path / "bomb.mov", 5_700, large_count=3).read_bytes()
    little = ChildLimits(max_memory_bytes=400 << 20, max_cpu_s=20.0)
    async with still_well("vision", tmp_path, plain, little) as stage:
        for round_number in range(4):
            innocent = asyncio.create_task(stage.ask(plain, f"innocent_{round_number}.mp4"))
            with pytest.raises(InvalidInputError) as caught:
                await stage.ask(bomb, "bomb.mov")
            assert caught.value.reason in ("MEDIA_TOO_COMPLEX", "MEDIA_DECODER_FAILED")
            assert (await innocent).report.sampled_frame_count == 10


async def test_a_picture_that_changes_its_size_is_seen_throughout(tmp_path: Path, plain: bytes) -> None:
    sizes_px = [(64, 48), (48, 64), (640, 480), (1, 1), (1280, 3)] * 2
    clip = changing(tmp_path / "a.mov", sizes_px).read_bytes()
    async with still_well("vision", tmp_path, plain) as stage:
        reply = await stage.ask(clip)

    assert reply.report.sampled_frame_count == len(sizes_px)
    assert "The picture changes its size." in reply.report.warnings


@pytest.mark.parametrize(("channel_count", "rate_hz"), [(64, 48_000), (8, 384_000), (1, 1), (2, 50)])
async def test_an_absurd_shape_of_sound_is_mixed_or_refused(
    tmp_path: Path, plain: bytes, channel_count: int, rate_hz: int
) -> None:
    content = many_channels(tmp_path / "a.wav", channel_count, rate_hz, 2.0).read_bytes()
    async with still_well("speaker", tmp_path, plain) as stage:
        answers = Answers()
        await answers.ask_all(stage, {"sound": content})

    assert answers.by_name["sound"] == "ok" or answers.by_name["sound"].startswith("MEDIA_")
