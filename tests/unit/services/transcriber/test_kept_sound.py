"""A recording's sound lies in a file without a name: it reads like an array, and takes no memory."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import CancelledCallError
from services.transcriber.audio import SAMPLE_RATE_HZ
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.kept_sound import KeptSound
from tests.fakes.transcriber import FakeSpeechModel, LoudnessDetector, tone, write_wav

PCM = np.random.default_rng(3).integers(-32_768, 32_767, 5_000, np.int16)


def files_without_a_name() -> set[str]:
    """Those that this process holds."""
    targets = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            targets.add(str(entry.readlink()))
        except FileNotFoundError:  # the one that the folder is listed with
            continue
    return {target for target in targets if target.endswith("(deleted)")}


@pytest.mark.parametrize(
    "part", [slice(0, 5_000), slice(17, 4_001), slice(4_990, 9_000), slice(7, 7), slice(9, 3)]
)
def test_it_reads_like_an_array(part: slice) -> None:
    with KeptSound() as kept:
        for start in range(0, PCM.size, 777):
            kept.append(PCM[start : start + 777])

        assert len(kept) == PCM.size
        np.testing.assert_array_equal(kept[part], PCM[part])


def test_what_was_cleared_is_gone() -> None:
    with KeptSound() as kept:
        kept.append(PCM)
        kept.clear()
        kept.append(PCM[100:103])

        np.testing.assert_array_equal(kept[0:50], PCM[100:103])


def test_nothing_and_every_second_sample_are_written_as_an_array_would_give_them() -> None:
    with KeptSound() as kept:
        kept.append(PCM[:0])
        kept.append(PCM[::2])

        np.testing.assert_array_equal(kept[0:3_000], PCM[::2])


def test_samples_are_not_read_in_steps() -> None:
    with KeptSound() as kept, pytest.raises(ValueError, match="in order"):
        kept[0:10:2]


def test_nobody_can_find_the_file_and_nothing_stays(tmp_path: Path) -> None:
    before = files_without_a_name()
    with KeptSound(tmp_path) as kept:
        kept.append(PCM)

        assert list(tmp_path.iterdir()) == []
        assert len(files_without_a_name() - before) == 1
    assert files_without_a_name() == before


def test_ten_minutes_take_no_memory() -> None:
    minute = np.zeros(60 * SAMPLE_RATE_HZ, np.int16)
    with KeptSound() as kept:
        kept.append(minute)
        tracemalloc.start()
        try:
            for _ in range(9):
                kept.append(minute)
            kept[SAMPLE_RATE_HZ : 2 * SAMPLE_RATE_HZ]
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak_bytes < 200_000


def test_a_call_that_ends_early_leaves_no_file_open(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "answer.wav", tone(3.0))
    transcriber, stop = Transcriber(FakeSpeechModel([]), LoudnessDetector()), threading.Event()
    before = files_without_a_name()

    list(transcriber.transcribe(recording, TranscribeOptions(), stop))
    left = transcriber.transcribe(recording, TranscribeOptions(), stop)
    next(left)
    assert isinstance(left, Generator)
    left.close()
    stop.set()
    with pytest.raises(CancelledCallError):
        list(transcriber.transcribe(recording, TranscribeOptions(), stop))

    assert files_without_a_name() == before
