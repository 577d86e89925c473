"""Starts a transcriber: settings → model → engine → servicer → server."""

from __future__ import annotations

from chassis.early_stop import end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped()  # Before the imports that take seconds.

from chassis.media import MediaInbox
from chassis.model_info import ModelInfo
from chassis.models import locate
from chassis.playback.loading import sound_decoder
from chassis.server import Register, run
from chassis.start_folders import needed_folder
from chassis.telemetry import count_batch, tell_model
from chassis.workers import Workers
from services.transcriber.engine import Transcriber
from services.transcriber.servicer import SERVICE_NAME, Capabilities, TranscriberServicer
from services.transcriber.settings import TranscriberSettings
from services.transcriber.speech import SileroDetector
from services.transcriber.whisper import WhisperSpeechModel


def compose(settings: TranscriberSettings) -> Register:
    """Load the model, warm it up, and return what adds the servicer to a server."""
    found = locate(settings.model, settings.models_dir)
    model = WhisperSpeechModel(
        found.folder,
        device=settings.device,
        compute_type=settings.compute_type,
        cpu_threads=settings.cpu_threads,
        max_batch_size=settings.max_batch_size,
        first_pass=settings.first_pass_rules,
        ran_together=count_batch,
    )
    tell_model(ModelInfo(found.name, found.version, found.digest, model.device), model.compute_type)
    model.warm_up()
    transcriber = Transcriber(
        model,
        SileroDetector(),
        beam_size=settings.beam_size,
        max_duration_s=settings.max_duration_s,
        speech_rules=settings.speech_rules,
        guard_rules=settings.guard_rules,
        expected_language_codes=settings.expected_language_codes if len(model.language_codes) > 1 else (),
        on_contradiction=settings.language_contradiction,
        decoder=sound_decoder(settings.decoder_limits, growing_count=settings.growing_count),
    )
    worker_count = settings.workers_for(model.batch_size)
    workers = Workers(worker_count, settings.waiting_count)
    with needed_folder("TRANSCRIBER_MEDIA_URI_PREFIXES"):
        inbox = MediaInbox(
            max_media_bytes=settings.max_media_bytes,
            uri_prefixes=settings.media_uri_prefixes,
            max_growing_count=settings.growing_count,
        )
    capabilities = Capabilities(found, model.device, settings.max_media_bytes, worker_count)
    return TranscriberServicer(transcriber, workers, inbox, capabilities).register


if __name__ == "__main__":
    run(TranscriberSettings, SERVICE_NAME, compose)
