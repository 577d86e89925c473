"""Finds where the room or the microphone changed, by what is heard while nobody speaks.

A voice sounds less like itself in another room or over another microphone, and that is the known source
of a second voice that nobody spoke. What is heard in the pauses belongs to the room and the microphone
alone: where it changes at the very moment at which the voice seems to, the voice may be the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.speaker.audio import SAMPLE_RATE_HZ, Waveform
from services.speaker.voice_activity import BLOCK_FRAMES, FRAME_S, FRAME_SAMPLES, Probabilities
from services.speaker.windows import Windows

PAUSE_PROBABILITY = 0.20
"""Frames below it are a pause."""
MIN_PAUSE_S = 0.2
"""Pauses that each side needs. With less nothing is said about its surroundings."""
QUIET_QUANTILE = 0.10
"""Of a band's level in the pauses: below the echo of words and the breaths, above a dropped frame."""
BAND_COUNT = 24
LOWEST_HZ, HIGHEST_HZ = 80.0, 7600.0
FLOOR_POWER = 10 ** (-110 / 10)
"""Of full scale in one step of the transform (31 Hz): above what 16 bits leave in digital silence."""
MIN_ONCE_RATIO = 0.90
"""Share of two groups' speech that lies on its side of the border where one follows the other once."""
UNCHANGED_DB, CHANGED_DB = 2.0, 4.0
"""Mean difference of the bands: an unchanged room stays mostly below the first (median 1.4, 90 % below 2.3),
between the two a change counts in part."""
MAX_ALLOWANCE = 0.20
"""How much less alike one voice is taken to be after a change, in cosine. The README has what it gains and
costs."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Change:
    """A change of room, microphone or noise."""

    time_s: float
    """Between the last window before and the first one after it."""
    difference_db: float
    """Mean absolute difference of the bands' levels in the pauses."""

    @property
    def is_plain(self) -> bool:
        """Whether it is large enough to tell a reader."""
        return self.difference_db >= CHANGED_DB

    @property
    def allowance(self) -> float:
        """What is added to the similarity of two groups that meet here, 0 to `MAX_ALLOWANCE`."""
        return MAX_ALLOWANCE * float(
            np.clip((self.difference_db - UNCHANGED_DB) / (CHANGED_DB - UNCHANGED_DB), 0.0, 1.0)
        )


class Surroundings:
    """What is heard in the pauses of one recording. It does not keep the recording.

    Args:
        samples: The recording.
        probabilities: That somebody speaks, one a frame.
        windows: Its windows of speech, in time order.
        seconds: Speech that each window stands for.
    """

    def __init__(
        self, samples: Waveform, probabilities: Probabilities, windows: Windows, seconds: NDArray[np.float64]
    ) -> None:
        self._end_s = len(samples) / SAMPLE_RATE_HZ
        self._pause_frames = np.flatnonzero(probabilities < PAUSE_PROBABILITY)
        self._pause_levels_db = _levels_db(samples, self._pause_frames)
        self._windows = windows
        self._seconds = seconds

    def change_between(self, one: Mask, other: Mask) -> Change | None:
        """Say whether the surroundings changed between two groups of windows.

        Args:
            one: The windows of a group, shape (window count,).
            other: Those of another one.

        Returns:
            None where neither follows the other once and at once, where there are too few pauses to tell,
            or where the pauses sound alike.
        """
        border = self._border(one, other)
        if border is None:
            return None
        before = self._levels_db(*self._span_before(border, one | other))
        after = self._levels_db(*self._span_after(border, one | other))
        if before is None or after is None:
            return None
        difference_db = float(np.mean(np.abs(before - after)))
        if difference_db <= UNCHANGED_DB:
            return None
        time_s = (self._windows[border - 1, 1] + self._windows[border, 0]) / 2
        return Change(round(float(time_s), 1), round(difference_db, 1))

    def _border(self, one: Mask, other: Mask) -> int | None:
        """Return the first window after the border. None where the groups alternate or do not meet."""
        inside = np.flatnonzero(one | other)
        signed = np.where(one[inside], 1.0, -1.0) * self._seconds[inside]
        # With the border after window i, `sum before - sum after` counts the speech on its own side.
        balance = 2 * np.cumsum(signed)[:-1] - signed.sum()
        if len(balance) == 0:
            return None
        best = int(np.argmax(np.abs(balance)))
        own_ratio = (1 + abs(float(balance[best])) / float(self._seconds[inside].sum())) / 2
        # A third voice between the two: whatever changed there did not change between these.
        adjacent = inside[best + 1] == inside[best] + 1
        return int(inside[best + 1]) if adjacent and own_ratio >= MIN_ONCE_RATIO else None

    def _span_before(self, border: int, both: Mask) -> tuple[float, float]:
        first = int(np.flatnonzero(both)[0])
        start_s = 0.0 if first == 0 else float(self._windows[first, 0])
        return start_s, float(self._windows[border - 1, 1])

    def _span_after(self, border: int, both: Mask) -> tuple[float, float]:
        last = int(np.flatnonzero(both)[-1])
        is_end = last == len(self._windows) - 1
        end_s = self._end_s if is_end else float(self._windows[last, 1])
        return float(self._windows[border, 0]), end_s

    def _levels_db(self, start_s: float, end_s: float) -> NDArray[np.float64] | None:
        """Return the quiet level of each band in the pauses of a span, in dB."""
        first, end = np.searchsorted(self._pause_frames, [start_s / FRAME_S, end_s / FRAME_S])
        if (end - first) * FRAME_S < MIN_PAUSE_S:
            return None
        return np.asarray(np.quantile(self._pause_levels_db[first:end], QUIET_QUANTILE, axis=0))


def _levels_db(samples: Waveform, frames: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the level of each band in some frames of a recording, shape (frame count, `BAND_COUNT`)."""
    quiet = frames[frames < len(samples) // FRAME_SAMPLES]
    taper, bands = np.hanning(FRAME_SAMPLES).astype(np.float32), _bands().T
    levels_db = np.empty((len(quiet), BAND_COUNT))
    for begin in range(0, int(quiet.max(initial=-1)) + 1, BLOCK_FRAMES):
        first, end = np.searchsorted(quiet, [begin, begin + BLOCK_FRAMES])
        own = samples[begin * FRAME_SAMPLES : (begin + BLOCK_FRAMES) * FRAME_SAMPLES]
        whole = own[: len(own) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
        power = np.square(np.abs(np.fft.rfft(whole[quiet[first:end] - begin] * taper, axis=1)))
        levels_db[first:end] = 10 * np.log10(power / np.sum(taper) ** 2 @ bands + FLOOR_POWER)
    return levels_db


def _bands() -> NDArray[np.float64]:
    """Return the mean over each of `BAND_COUNT` bands, equally wide in octaves; (bands, frequencies)."""
    edges_hz = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BAND_COUNT + 1)
    frequencies_hz = np.fft.rfftfreq(FRAME_SAMPLES, 1 / SAMPLE_RATE_HZ)
    # The lowest bands are narrower than a step of the transform: each has at least the nearest one.
    inside = (frequencies_hz >= edges_hz[:-1, None]) & (frequencies_hz < edges_hz[1:, None])
    middles_hz = np.sqrt(edges_hz[:-1] * edges_hz[1:])
    nearest = np.argmin(np.abs(frequencies_hz[None] - middles_hz[:, None]), axis=1)
    inside[np.arange(BAND_COUNT), nearest] = True
    return np.asarray(inside / inside.sum(axis=1, keepdims=True))
