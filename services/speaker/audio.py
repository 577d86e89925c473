"""The sound of a recording: 16 kHz mono samples on the recording's clock, also while it still grows."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from chassis.errors import CancelledCallError
from chassis.playback.loading import ArrivingSound
from chassis.playback.samples import SAMPLE_RATE_HZ, Samples

__all__ = ["SAMPLE_RATE_HZ", "ArrivingSound", "KeptSound", "Samples", "Waveform", "raise_if_stopped"]

FULL_SCALE = np.float32(32_768.0)
PIECE_SAMPLES = 1 << 20
"""Samples are kept in pieces of 65 s: one array would be copied as it grows."""


class Waveform(Protocol):
    """Samples that can be looked at: float32 in [-1, 1], shape (n,)."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def __getitem__(self, span: slice, /) -> Samples:
        """Return those of a span. They are not to be changed."""
        ...


class KeptSound:
    """What came of a recording so far, two bytes a sample: an hour takes 115 MB.

    Sums are whole numbers, so that offset and level are the same however the sound came.
    """

    def __init__(self) -> None:
        self._pieces: list[NDArray[np.int16]] = []
        self._count = 0
        self._sum = 0
        self._square_sum = 0

    def __len__(self) -> int:
        """Return how many samples there are."""
        return self._count

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self._count / SAMPLE_RATE_HZ

    @property
    def offset(self) -> int:
        """The constant offset, in whole steps of the 16 bits. What is finer can't be heard."""
        return round(self._sum / max(1, self._count))

    @property
    def rms(self) -> float:
        """Root mean square without the offset, over full scale."""
        count = max(1, self._count)
        power = self._square_sum - 2 * self.offset * self._sum + count * self.offset**2
        return float((power / count) ** 0.5 / FULL_SCALE)

    def add(self, samples: Samples) -> None:
        """Append samples, rounded to 16 bits. What is not a number becomes silence."""
        known = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        rounded = np.clip(np.rint(known * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        wide = rounded.astype(np.int64)
        self._sum += int(wide.sum())
        self._square_sum += int(wide @ wide)
        while rounded.size:
            within = self._count % PIECE_SAMPLES
            if within == 0:
                self._pieces.append(np.empty(PIECE_SAMPLES, np.int16))
            taken = rounded[: PIECE_SAMPLES - within]
            self._pieces[-1][within : within + taken.size] = taken
            self._count += taken.size
            rounded = rounded[taken.size :]

    def without_offset(self, offset: int) -> Waveform:
        """Return a view of the samples, which grows with them."""
        return _Mended(self, offset)

    def kept(self, start: int, end: int) -> NDArray[np.int16]:
        """Return the samples of a span that are there, as they came."""
        parts, end = [np.zeros(0, np.int16)], min(end, self._count)
        while start < end:
            number, within = divmod(start, PIECE_SAMPLES)
            parts.append(self._pieces[number][within : within + end - start])
            start += parts[-1].size
        return parts[-1] if len(parts) == 2 else np.concatenate(parts)


class _Mended:
    """A view of a sound without its offset."""

    def __init__(self, sound: KeptSound, offset: int) -> None:
        self._sound = sound
        self._offset = np.float32(offset)

    def __len__(self) -> int:
        return len(self._sound)

    def __getitem__(self, span: slice, /) -> Samples:
        start, end, _ = span.indices(len(self._sound))
        samples = (self._sound.kept(start, end) - self._offset) / FULL_SCALE
        return np.clip(samples, -1.0, 1.0, out=samples)


def raise_if_stopped(stop: threading.Event) -> None:
    """Leave the work when the caller gave up.

    Raises:
        CancelledCallError: `stop` is set (`CANCELLED`).
    """
    if stop.is_set():
        raise CancelledCallError("The caller gave up before the recording was done.", reason="CANCELLED")
