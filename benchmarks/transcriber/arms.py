"""Who transcribes: our engine, our service, and faster-whisper alone with three kinds of settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any, Protocol

from faster_whisper import WhisperModel

from chassis.models import locate
from chassis.settings import default_models_dir
from interview.v1 import transcriber_pb2, transcriber_pb2_grpc
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.settings import TranscriberSettings
from services.transcriber.speech import SileroDetector
from services.transcriber.transcript import Transcript
from services.transcriber.whisper import WhisperSpeechModel
from services.transcriber.windows import MAX_WINDOW_TOKENS

OURS, OTHER = "ours", "ours, every window padded"
SAME, DEFAULTS, DESIGN = "library, same settings", "library, its defaults", "design document"
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""The library's own ladder. Ours draws nothing at random."""
THREADS = 2
"""Of the library alone, on a machine with two cores."""
LANGUAGE = "en"
CHUNK_BYTES = 1_000_000

LIBRARY_DEFAULT: dict[str, Any] = {"word_timestamps": True}
"""As the library comes, but for word times, which every arm gives."""
DESIGN_DOCUMENT: dict[str, Any] = {
    "beam_size": 10,
    "best_of": 5,
    "temperature": 0.0,
    "condition_on_previous_text": True,
    "word_timestamps": True,
    "vad_filter": True,
    "vad_parameters": {
        "threshold": 0.3,
        "min_speech_duration_ms": 200,
        "min_silence_duration_ms": 1500,
        "speech_pad_ms": 500,
    },
}
"""What the system that this one replaces was designed with, on our weights, threads and number type."""
SAME_AS_OURS: dict[str, Any] = {
    "beam_size": 5,
    "temperature": TEMPERATURES,
    "condition_on_previous_text": False,
    "word_timestamps": True,
    "vad_filter": True,
    "max_new_tokens": MAX_WINDOW_TOKENS,
}


class Writer(Protocol):
    """Turns a recording into text."""

    def __call__(self, path: Path, language_code: str = LANGUAGE) -> str:
        """Return what is said in `path`."""
        ...


def library(whisper: WhisperModel, settings: dict[str, Any]) -> Writer:
    """Return faster-whisper alone, with these settings."""

    def write(path: Path, language_code: str = LANGUAGE) -> str:
        segments, _ = whisper.transcribe(str(path), language=language_code, **settings)
        return " ".join(segment.text.strip() for segment in segments)

    return write


def engine(transcriber: Transcriber) -> Writer:
    """Return our engine in this process."""

    def write(path: Path, language_code: str = LANGUAGE) -> str:
        *_, last = transcriber.transcribe(path, TranscribeOptions(language_code=language_code), Event())
        if not isinstance(last, Transcript):
            raise TypeError("the transcript must come last")
        return " ".join(segment.text for segment in last.segments)

    return write


def service(stub: transcriber_pb2_grpc.TranscriberServiceStub) -> Writer:
    """Return our service, over a socket, with the recording as chunks."""

    def write(path: Path, language_code: str = LANGUAGE) -> str:
        *_, last = stub.Transcribe(_requests(path, language_code))
        return " ".join(segment.text for segment in last.transcript.segments)

    return write


def _requests(path: Path, language_code: str) -> Iterator[transcriber_pb2.TranscribeRequest]:
    yield transcriber_pb2.TranscribeRequest(
        config=transcriber_pb2.TranscribeConfig(language_code=language_code)
    )
    content = path.read_bytes()
    for start in range(0, len(content), CHUNK_BYTES):
        yield transcriber_pb2.TranscribeRequest(chunk=content[start : start + CHUNK_BYTES])


def arms(model: str) -> dict[str, Writer]:
    """Load a model for each arm of ours and once for the library alone, and return what is compared."""
    folder = locate(model, default_models_dir()).folder
    whisper = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS)
    settings = TranscriberSettings()
    return {
        OURS: engine(_ours(folder, settings)),
        OTHER: engine(_ours(folder, settings.model_copy(update={"first_pass": _other(settings)}))),
        SAME: library(whisper, SAME_AS_OURS),
        DEFAULTS: library(whisper, LIBRARY_DEFAULT),
        DESIGN: library(whisper, DESIGN_DOCUMENT),
    }


def _other(settings: TranscriberSettings) -> str:
    return {"padded": "own_length", "own_length": "padded"}[settings.first_pass]


def _ours(folder: Path, settings: TranscriberSettings) -> Transcriber:
    model = WhisperSpeechModel(folder, device="cpu", first_pass=settings.first_pass_rules)
    model.warm_up()
    return Transcriber(model, SileroDetector(), beam_size=settings.beam_size)
