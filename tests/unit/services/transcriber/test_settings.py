"""Settings that follow from each other."""

from __future__ import annotations

import pytest

from services.transcriber.settings import TranscriberSettings


@pytest.mark.parametrize(("told", "batch_size", "count"), [(0, 16, 16), (0, 1, 8), (0, 64, 64), (3, 16, 3)])
def test_as_many_recordings_are_in_work_as_fill_a_batch(told: int, batch_size: int, count: int) -> None:
    assert TranscriberSettings(worker_count=told).workers_for(batch_size) == count
