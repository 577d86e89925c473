"""What the benchmark of the last byte counts and sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.last_byte.measure import OFF, ON, Taken, figures, index_first
from chassis.reading_order import reads_from_front
from tests.fakes.recording import make_recording


def taken(after_s: float, cpu_s: float, *texts: str, early_count: int = 0) -> Taken:
    segments = [{"text": text} for text in texts]
    return Taken(after_s, {"results": [{"transcript": {"segments": segments}}]}, cpu_s, early_count)


def test_the_ratio_is_of_the_seconds_behind_the_last_byte() -> None:
    found = figures({OFF: taken(100.0, 50.0, "a b", "c"), ON: taken(20.0, 55.0, "a", "b c", early_count=3)})

    assert found["last_byte_ratio"] == pytest.approx(0.2)
    assert found["cpu_ratio"] == pytest.approx(1.1)
    assert (found["words_equal"], found["early_count"]) == (True, 3)


def test_other_words_are_told() -> None:
    found = figures({OFF: taken(1.0, 1.0, "a b"), ON: taken(1.0, 1.0, "a c")})

    assert not found["words_equal"]


def test_the_recording_has_its_index_first(tmp_path: Path) -> None:
    last = make_recording(tmp_path / "last.mp4", seconds=0.5)

    assert reads_from_front(index_first(last, tmp_path / "first.mp4").read_bytes())
