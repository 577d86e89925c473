"""A transcriber on a fake model: what comes of a recording."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from services.transcriber.decoding import DecodedSegment
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.transcript import Event, Transcript
from tests.fakes.transcriber import (
    FakeSpeechModel,
    LoudnessDetector,
)


def events_of(
    recording: Path, model: FakeSpeechModel, options: TranscribeOptions | None = None
) -> list[Event]:
    transcriber = Transcriber(model, LoudnessDetector())
    return list(transcriber.transcribe(recording, options or TranscribeOptions(), threading.Event()))


def transcript_of(
    recording: Path,
    segments: Sequence[DecodedSegment] | FakeSpeechModel,
    options: TranscribeOptions | None = None,
) -> Transcript:
    model = segments if isinstance(segments, FakeSpeechModel) else FakeSpeechModel(segments)
    *_, last = events_of(recording, model, options)
    assert isinstance(last, Transcript)
    return last
