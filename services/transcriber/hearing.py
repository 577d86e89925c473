"""What is heard of a recording: its samples and where somebody speaks, also while it still grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chassis.playback.recording_warnings import RecordingWarning
from services.transcriber.audio import SAMPLE_RATE_HZ, Samples, Sliceable, from_pcm, to_pcm
from services.transcriber.kept_sound import KeptSound
from services.transcriber.speech import (
    Probabilities,
    SpeechDetector,
    SpeechRules,
    blocks_to_decode,
    find_speech,
    whole_blocks,
)
from services.transcriber.transcript import Span


@dataclass(frozen=True)
class Hearing:
    """A recording, or its beginning, and where somebody speaks in it."""

    samples: Sliceable
    duration_s: float
    speech: Sequence[Span]
    """Tight spans, to measure with."""
    blocks: Sequence[Sequence[Span]]
    """What the model hears, one block after the other: the same with padding and pauses. Empty where nobody
    speaks: the model would invent words there."""
    warnings: tuple[RecordingWarning, ...] = ()
    """What a reader should know about the recording."""

    @property
    def silence_s(self) -> float:
        """How long nobody has spoken at the end."""
        return self.duration_s - (self.speech[-1].end_s if self.speech else 0.0)


class Listener:
    """Takes a recording's sound as it comes.

    What was found of it is never looked for again: the detector's frames don't depend on what comes later.

    Args:
        detector: Says where somebody speaks.
        rules: When sound counts as speech.
        kept: Where the samples are kept. Still empty.
        whole: Whether the model hears the pauses too.
    """

    def __init__(self, detector: SpeechDetector, rules: SpeechRules, kept: KeptSound, *, whole: bool) -> None:
        self._detector = detector
        self._rules = rules
        self._whole = whole
        self._kept = kept
        self._begin()

    def _begin(self) -> None:
        self._kept.clear()
        self._found: list[Probabilities] = []
        self._stream = self._detector.stream()

    @property
    def duration_s(self) -> float:
        """Length so far."""
        return len(self._kept) / SAMPLE_RATE_HZ

    def take(self, block: Samples | None) -> None:
        """Hear the next samples. None: what came so far counts no more."""
        if block is None:
            self._begin()
            return
        pcm = to_pcm(block)
        self._kept.append(pcm)
        self._found.append(self._stream.take(from_pcm(pcm)))

    def finish(self) -> None:
        """Say that this was all."""
        self._found.append(self._stream.finish())

    def hearing(self, warnings: tuple[RecordingWarning, ...] = ()) -> Hearing:
        """Return what was heard so far.

        Args:
            warnings: What a reader should know about the recording.
        """
        self._found = [np.concatenate([np.zeros(0, np.float32), *self._found])]
        duration_s = self.duration_s
        speech = find_speech(self._found[0], duration_s, self._rules)
        blocks = (
            whole_blocks(speech, duration_s)
            if self._whole
            else blocks_to_decode(speech, duration_s, self._rules)
        )
        return Hearing(self._kept, duration_s, speech, blocks, warnings)
