"""What the decoding process does wrong costs its answer and nothing else, and says what is the case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.client import is_transient
from chassis.errors import InterviewError, UnavailableError
from chassis.scratch import PREFIX, remove_left_folders
from chassis.store import MediaStore
from interview.v1 import orchestrator_pb2
from orchestrator.stages.extract import DECODER, ExtractionLimits, Extractor, ExtractRequest
from orchestrator.stages.work_folder import work_folder
from tests.fakes.recording import make_recording, make_tone
from tests.folders import ROOT

pytestmark = pytest.mark.anyio

LIMITS = ExtractionLimits(
    max_media_bytes=10_000_000,
    max_duration_s=60.0,
    max_pixel_count=3840 * 2160,
    max_track_count=4,
    max_memory_bytes=2 << 30,
    timeout_s=60.0,
)
PATIENCE_S = 60


async def extract(
    folder: Path,
    name: str,
    *,
    work: Callable[[], AbstractContextManager[Path]] = work_folder,
    decoder: Path = DECODER,
    limits: ExtractionLimits = LIMITS,
) -> orchestrator_pb2.Extraction:
    extractor = Extractor(MediaStore(folder.as_uri()), limits, work, decoder)
    return await extractor.extract(ExtractRequest(name, "out.wav"))


async def test_sound_shorter_than_a_level_window_beside_a_picture_is_measured(tmp_path: Path) -> None:
    make_recording(tmp_path / "a.mkv", seconds=0.01, times_s=[0.0], codecs=("mpeg4", "pcm_s16le"))
    found = await extract(tmp_path, "a.mkv")

    assert found.sound.duration_s < 0.02
    assert found.sound.loud_ratio == found.sound.quiet_ratio == found.sound.loudness_ratio > 0.1
    assert found.picture.packet_count == 1


@pytest.mark.parametrize("seconds", [0.001, 0.019])
async def test_next_to_no_sound_without_a_picture_is_called_too_short(tmp_path: Path, seconds: float) -> None:
    make_tone(tmp_path / "a.wav", seconds=seconds)
    with pytest.raises(InterviewError) as caught:
        await extract(tmp_path, "a.wav")

    assert caught.value.reason == "MEDIA_TOO_SHORT"
    assert "20 ms" in caught.value.message


async def test_sound_of_one_level_window_is_enough(tmp_path: Path) -> None:
    make_tone(tmp_path / "a.wav", seconds=0.02)

    assert (await extract(tmp_path, "a.wav")).sound.loud_ratio > 0.1


async def test_a_full_disk_is_the_operators_trouble_and_may_pass(tmp_path: Path) -> None:
    @contextmanager
    def full() -> Iterator[Path]:
        with work_folder(tmp_path) as folder:
            (folder / "sound.wav").symlink_to("/dev/full")
            yield folder

    make_recording(tmp_path / "a.mp4")
    with pytest.raises(UnavailableError) as caught:
        await extract(tmp_path, "a.mp4", work=full)

    assert caught.value.reason == "WORK_FOLDER_FULL"
    assert is_transient(caught.value)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "MEDIA_DECODER_FAILED"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "MEDIA_TOO_COMPLEX"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "MEDIA_TOO_COMPLEX"),
        ("raise SystemExit(3)", "MEDIA_DECODER_FAILED"),
        ("", "MEDIA_DECODER_FAILED"),
        ("print('{')", "MEDIA_DECODER_FAILED"),
        ("print('[]')", "MEDIA_DECODER_FAILED"),
        ("while True: print('x' * 100_000)", "MEDIA_DECODER_FAILED"),
    ],
)
async def test_a_decoder_that_dies_or_talks_nonsense_costs_its_answer_only(
    tmp_path: Path, program: str, reason: str
) -> None:
    (tmp_path / "decoder.py").write_text(program)
    make_tone(tmp_path / "a.wav", seconds=0.1)
    with pytest.raises(InterviewError) as caught:
        await extract(tmp_path, "a.wav", decoder=tmp_path / "decoder.py")

    assert caught.value.reason == reason
    assert (await extract(tmp_path, "a.wav")).HasField("sound")


async def test_a_decoder_that_hangs_is_ended(tmp_path: Path) -> None:
    (tmp_path / "decoder.py").write_text(
        "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    )
    make_tone(tmp_path / "a.wav", seconds=0.1)
    with pytest.raises(InterviewError) as caught:
        await extract(
            tmp_path, "a.wav", decoder=tmp_path / "decoder.py", limits=replace(LIMITS, timeout_s=2.0)
        )

    assert caught.value.reason == "MEDIA_TOO_COMPLEX"
    assert not (tmp_path / "pid").exists() or not lives(int((tmp_path / "pid").read_text()))


KILLED = f"""
import asyncio, os, sys
from contextlib import contextmanager
from pathlib import Path
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "protos" / "gen")!r}]
from chassis.store import MediaStore
from orchestrator.stages.extract import ExtractionLimits, Extractor, ExtractRequest
from orchestrator.stages.work_folder import work_folder

@contextmanager
def waiting():
    with work_folder(Path(sys.argv[1])) as folder:
        os.mkfifo(folder / "sound.wav")  # The decoder stands still where it opens it.
        yield folder

limits = ExtractionLimits(10_000_000, 60.0, 10_000_000, 4, 2 << 30, 600.0)
extractor = Extractor(MediaStore(Path(sys.argv[2]).as_uri()), limits, waiting)
asyncio.run(extractor.extract(ExtractRequest("a.wav", "out.wav")))
"""


def test_a_process_that_is_killed_takes_its_decoder_along_and_the_next_one_removes_its_folder(
    tmp_path: Path,
) -> None:
    work, store = tmp_path / "work", tmp_path / "store"
    work.mkdir()
    store.mkdir()
    make_tone(store / "a.wav", seconds=0.1)
    with subprocess.Popen([sys.executable, "-c", KILLED, str(work), str(store)]) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: bool(children.read_text().split()))
        decoder_pid = int(children.read_text().split()[0])
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: not lives(decoder_pid))

    assert len(list(work.glob(f"{PREFIX}*"))) == 1
    assert remove_left_folders(work) == 1
    assert list(work.iterdir()) == []


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
