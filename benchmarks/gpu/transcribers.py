"""The transcriber's engine, with the service's settings but for what is compared."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event

from benchmarks.gpu.callers import Transcribing
from benchmarks.gpu.recordings import Recording
from chassis.models import locate
from chassis.settings import default_models_dir
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.settings import TranscriberSettings
from services.transcriber.speech import SileroDetector
from services.transcriber.transcript import Transcript
from services.transcriber.whisper import WhisperSpeechModel

MODEL = "whisper-base"
REFERENCE_NUMBERS = "int8"
MOST_REFERENCE_MODELS = 8


def transcriber(device: str, compute_type: str, batch_size: int) -> Transcribing:
    """Load the model and return what transcribes with it, from as many threads as call it."""
    settings = TranscriberSettings()
    model = WhisperSpeechModel(
        locate(MODEL, default_models_dir()).folder,
        device=device,
        compute_type=compute_type,
        max_batch_size=batch_size,
        first_pass=settings.first_pass_rules,
    )
    model.warm_up()
    engine = Transcriber(model, SileroDetector(), beam_size=settings.beam_size)

    def write(recording: Recording, stop: Event) -> str:
        options = TranscribeOptions(language_code=recording.language_code)
        *_, last = engine.transcribe(recording.path, options, stop)
        if not isinstance(last, Transcript):
            raise TypeError("the transcript must come last")
        return " ".join(segment.text for segment in last.segments)

    return write


def reference(recordings: Sequence[Recording], stop: Event) -> dict[str, str]:
    """Return what the service writes on a CPU, one window at a time, by file name.

    A CPU's model has two threads. So there are half as many models as cores, each with a recording at a time.
    """
    model_count = max(1, min(MOST_REFERENCE_MODELS, (os.cpu_count() or 1) // 2, len(recordings)))
    idle: SimpleQueue[Transcribing] = SimpleQueue()
    for _ in range(model_count):
        idle.put(transcriber("cpu", REFERENCE_NUMBERS, 1))

    def write(recording: Recording) -> tuple[str, str]:
        write_down = idle.get()
        try:
            return recording.path.name, write_down(recording, stop)
        finally:
            idle.put(write_down)

    with ThreadPoolExecutor(model_count) as pool:
        return dict(pool.map(write, recordings))
