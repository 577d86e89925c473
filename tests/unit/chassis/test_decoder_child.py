"""The child that decodes gives back what frames leave behind, however rarely Python looks by itself."""

from __future__ import annotations

import gc
import io
import os
import weakref
from collections.abc import Iterator

import numpy as np
import pytest

from chassis.decoding.decoder_child import COLLECT_EVERY, Channel
from chassis.decoding.sealed_memory import sealed_memory

SLOT_BYTES = 4096


class Frame:
    """Refers to what refers to it, as PyAV's frames do once their side data was read."""

    def __init__(self) -> None:
        self.side_data = {"frame": self}
        self.pixels = np.zeros(SLOT_BYTES, np.uint8)


@pytest.fixture
def channel() -> Iterator[Channel]:
    memory_fd = sealed_memory(SLOT_BYTES)
    freed = io.BytesIO(bytes(100 * COLLECT_EVERY))
    yield Channel({"slot_bytes": SLOT_BYTES, "slot_count": 1, "memory_fd": memory_fd}, io.BytesIO(), freed)
    os.close(memory_fd)


@pytest.fixture
def rare_collections() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("rare_collections")
def test_frames_in_reference_cycles_do_not_gather(channel: Channel) -> None:
    kept: list[weakref.ref[Frame]] = []
    for _ in range(3 * COLLECT_EVERY):
        frame = Frame()
        kept.append(weakref.ref(frame))
        channel.send({}, frame.pixels)
        assert sum(one() is not None for one in kept) <= COLLECT_EVERY + 1
