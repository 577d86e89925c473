"""Runs the speaker stage: `python -m services.speaker`."""

from __future__ import annotations

from chassis.early_stop import end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped()  # Before the imports that take seconds.

import importlib.util
from pathlib import Path

from chassis.errors import PreconditionError
from chassis.media import MediaInbox
from chassis.model_info import ModelInfo
from chassis.models import locate
from chassis.playback.loading import sound_decoder
from chassis.server import Register, run
from chassis.start_folders import needed_folder
from chassis.telemetry import tell_model
from chassis.workers import Workers
from services.speaker.clustering import Projection
from services.speaker.embedding import VoiceEncoder
from services.speaker.engine import Diarizer
from services.speaker.servicer import SERVICE_NAME, SpeakerServicer
from services.speaker.settings import SpeakerSettings
from services.speaker.voice_activity import SileroSpeechModel


def silero_weights() -> Path:
    """Find Silero's weights inside faster-whisper without importing it (and its decoder)."""
    spec = importlib.util.find_spec("faster_whisper")
    if spec is None or not spec.submodule_search_locations:
        raise PreconditionError("faster-whisper is missing. Run `make setup`.", reason="MODEL_MISSING")
    return Path(spec.submodule_search_locations[0]) / "assets" / "silero_vad_v6.onnx"


def build_diarizer(settings: SpeakerSettings) -> Diarizer:
    """Load the models."""
    found = locate(settings.model, settings.models_dir)
    model = ModelInfo(found.name, found.version, found.digest, "cpu")
    tell_model(model)
    speech_model = SileroSpeechModel(silero_weights())
    encoder = VoiceEncoder(found.path, settings.thread_count)
    decoder = sound_decoder(settings.decoder_limits, growing_count=settings.growing_count)
    return Diarizer(speech_model, encoder, Projection.load(), model, settings.max_duration_s, decoder)


def compose(settings: SpeakerSettings) -> Register:
    """Put the speaker stage together."""
    diarizer = build_diarizer(settings)
    diarizer.warm_up()
    most_bytes = settings.max_media_bytes
    with needed_folder("SPEAKER_MEDIA_URI_PREFIXES"):
        inbox = MediaInbox(
            max_media_bytes=most_bytes,
            uri_prefixes=settings.media_uri_prefixes,
            max_growing_count=settings.growing_count,
        )
    workers = Workers(settings.worker_count, settings.waiting_count)
    return SpeakerServicer(
        diarizer,
        workers,
        inbox,
        max_media_bytes=most_bytes,
        worker_count=settings.worker_count,
        growing_workers=Workers(max(1, settings.growing_count), settings.waiting_count),
    ).add_to


if __name__ == "__main__":
    run(SpeakerSettings, SERVICE_NAME, compose)
