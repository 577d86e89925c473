"""Cleans sound as it comes: what is done to a second does not depend on what is said later."""

from __future__ import annotations

import math

import numpy as np

from chassis.playback.samples import SAMPLE_RATE_HZ, Samples

NOTABLE_RATIO = 0.2
"""An offset that is off by less than this share of the sound's level is left as it is: no model hears it. The
mean of a second of speech is a fiftieth of its level."""


class Cleaner:
    """Makes samples finite, within full scale and free of a constant offset.

    What is not a number becomes silence: a float file may hold it. What is louder than full scale is cut, as
    every player does. The offset is the mean of what came so far, looked at once a second and followed where
    it is off by much: most recordings have none, and a sound that still grows is cleaned as the whole one is.
    """

    def __init__(self) -> None:
        self._left = np.zeros(0, np.float32)
        self._total = self._power = 0.0
        self._offset = np.float32(0.0)
        self._sample_count = 0

    def take(self, samples: Samples) -> Samples:
        """Return the whole seconds that are complete now, cleaned."""
        samples = np.concatenate([self._left, samples])
        whole = len(samples) // SAMPLE_RATE_HZ * SAMPLE_RATE_HZ
        self._left = samples[whole:]
        return self._cleaned(samples[:whole].reshape(-1, SAMPLE_RATE_HZ))

    def finish(self) -> Samples:
        """Return what is left of the last second, cleaned."""
        left, self._left = self._left, np.zeros(0, np.float32)
        return self._cleaned(left.reshape(1, -1)) if left.size else left

    def _cleaned(self, seconds: Samples) -> Samples:
        np.nan_to_num(seconds, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        np.clip(seconds, -1.0, 1.0, out=seconds)
        for second in seconds:
            self._look_at(second)
            if self._offset:
                np.clip(second - self._offset, -1.0, 1.0, out=second)
        return seconds.reshape(-1)

    def _look_at(self, second: Samples) -> None:
        self._total += float(np.sum(second, dtype=np.float64))
        self._power += float(np.sum(np.square(second, dtype=np.float64)))
        self._sample_count += second.size
        mean = self._total / self._sample_count
        level = math.sqrt(max(0.0, self._power / self._sample_count - mean * mean))
        if abs(mean - float(self._offset)) > NOTABLE_RATIO * level:
            self._offset = np.float32(mean)


def clean(samples: Samples) -> None:
    """Clean a whole sound, in place."""
    cleaner = Cleaner()
    samples[:] = np.concatenate([cleaner.take(samples), cleaner.finish()])
