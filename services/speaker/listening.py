"""One recording while it is listened to: what is heard early is used where it holds at the end.

Its offset, its level and the end of its last stretch are known once it is whole. What is found out before
rests on what has arrived, so it is only a memory: the end goes through the whole recording with the same
steps, and takes from memory what was made of the same samples. So what grew says what the finished one says.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.speaker.audio import KeptSound, Samples, Waveform, raise_if_stopped
from services.speaker.embedding import BATCH_WINDOWS, Embeddings, WindowEncoder, window_frame_counts
from services.speaker.voice_activity import (
    BLOCK_FRAMES,
    FRAME_S,
    FRAME_SAMPLES,
    Probabilities,
    SpeechModel,
    level_gain_db,
    levelled_blocks,
    settled_count,
    speech_stretches,
)
from services.speaker.windows import Windows, windows_of

FIRST_HEARD_S = 16.0
"""What has to be there before anything is heard early: the level of less says little."""
HEARD_AGAIN_RATIO = 2.0
"""A level that proves wrong is corrected early once so much more is there: at most as much again is heard."""

Window = tuple[float, float]


class _Level(NamedTuple):
    """What is taken off the samples, and what they are brought up by where speech is looked for."""

    offset: int
    gain_db: int


class Listening:
    """The sound of one recording, and what was made of it. Embeddings go with it.

    Args:
        speech_model: Finds speech.
        encoder: Embeds windows of speech.
        stop: Set when the caller gave up.
    """

    def __init__(self, speech_model: SpeechModel, encoder: WindowEncoder, stop: threading.Event) -> None:
        self.sound = KeptSound()
        self._speech_model = speech_model
        self._encoder = encoder
        self._stop = stop
        self._heard: _Heard | None = None
        self._waiting: list[Window] = []
        self._offset = 0
        self._vectors: dict[Window, NDArray[np.float32]] = {}

    def add(self, samples: Samples) -> None:
        """Take the next samples."""
        raise_if_stopped(self._stop)
        self.sound.add(samples)

    def work_ahead(self) -> Iterator[float]:
        """Do what can be done before the rest has come. Yields how many seconds were heard, step by step."""
        if self._heard is None and self.sound.duration_s < FIRST_HEARD_S:
            return
        heard = self._heard = self._heard_early()
        for _ in heard.go_on(self._stop):
            yield heard.heard_s
        self._waiting += [window for window in _rows(heard.settled_windows()) if window not in self._vectors]
        for batch in _full_batches(self._waiting):
            for _ in self._embed(batch):
                yield heard.heard_s
        self._waiting = [window for window in self._waiting if window not in self._vectors]

    def probabilities(self) -> Generator[int, None, Probabilities]:
        """Yield how many frames were heard, step by step, and return the probabilities of the whole."""
        heard = self._heard_at(self._level())
        for _ in heard.go_on(self._stop, to_its_end=True):
            yield heard.frame_count
        return heard.probabilities

    def embeddings(self, windows: Windows) -> Generator[int, None, Embeddings]:
        """Yield how many of the windows are embedded, step by step, and return their vectors."""
        rows = _rows(windows)
        missing = [window for window in rows if window not in self._vectors]
        done = len(rows) - len(missing)
        for count in self._embed(missing):
            done += count
            yield done
        return np.stack([self._vectors[window] for window in rows])

    @property
    def samples(self) -> Waveform:
        """The whole recording without its offset."""
        return self.sound.without_offset(self.sound.offset)

    def forget(self) -> None:
        """Give back the sound and what was made of it. What was returned stays."""
        self.sound = KeptSound()
        self._heard = None
        self._waiting.clear()
        self._offset = 0
        self._vectors.clear()

    def _embed(self, windows: list[Window]) -> Iterator[int]:
        samples = self.sound.without_offset(self._offset)
        for batch, vectors in self._encoder.embed(samples, np.array(windows).reshape(-1, 2)):
            raise_if_stopped(self._stop)
            self._vectors |= {windows[index]: vectors[place] for place, index in enumerate(batch)}
            yield len(batch)

    def _heard_early(self) -> _Heard:
        heard = self._heard
        if heard is not None and self.sound.duration_s < HEARD_AGAIN_RATIO * heard.begun_s:
            return heard
        return self._heard_at(self._level())

    def _heard_at(self, level: _Level) -> _Heard:
        """Return what was heard at a level. With another one it begins again."""
        if level.offset != self._offset:
            self._offset = level.offset
            self._vectors.clear()
        if self._heard is None or self._heard.level != level:
            self._waiting.clear()
            self._heard = _Heard(self._speech_model, self.sound, level)
        return self._heard

    def _level(self) -> _Level:
        return _Level(self.sound.offset, level_gain_db(self.sound.rms))


class _Heard:
    """The probabilities of speech at one level, as far as they were asked for."""

    def __init__(self, speech_model: SpeechModel, sound: KeptSound, level: _Level) -> None:
        self.level = level
        self.begun_s = sound.duration_s
        self.frame_count = 0
        self._sound = sound
        self._found: list[Probabilities] = []
        self._settled = 0
        samples = sound.without_offset(level.offset)
        self._model = speech_model.probabilities(levelled_blocks(samples, level.gain_db))

    @property
    def heard_s(self) -> float:
        return self.frame_count * FRAME_S

    @property
    def probabilities(self) -> Probabilities:
        return np.concatenate([*self._found, np.zeros(0, np.float32)])

    def go_on(self, stop: threading.Event, *, to_its_end: bool = False) -> Iterator[None]:
        """Hear block after block. The last one, which is shorter, only of a recording that is whole."""
        block = 1 if to_its_end else BLOCK_FRAMES * FRAME_SAMPLES
        while len(self._sound) - self.frame_count * FRAME_SAMPLES >= block:
            raise_if_stopped(stop)
            self._found.append(next(self._model))
            self.frame_count += len(self._found[-1])
            yield

    def settled_windows(self) -> Windows:
        """Return the windows of the stretches that are new and that nothing to come can change."""
        fresh = self.probabilities[self._settled :]
        count = settled_count(fresh)
        stretches = speech_stretches(fresh[:count], self._sound.duration_s, self._settled)
        self._settled += count
        return windows_of(stretches)


def _rows(windows: Windows) -> list[Window]:
    return [(float(start_s), float(end_s)) for start_s, end_s in windows]


def _full_batches(windows: list[Window]) -> Iterator[list[Window]]:
    """Yield as many windows of each length as fill batches. The others wait for more of their length."""
    lengths = window_frame_counts(np.array(windows).reshape(-1, 2))
    for length in np.unique(lengths):
        alike = list(compress(windows, lengths == length))
        if full := len(alike) // BATCH_WINDOWS * BATCH_WINDOWS:
            yield alike[:full]
