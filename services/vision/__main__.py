"""Runs the vision stage: `python -m services.vision`."""

from __future__ import annotations

from chassis.early_stop import end_at_once_if_stopped

if __name__ == "__main__":
    end_at_once_if_stopped()  # Before the imports that take seconds.

from functools import partial

from chassis.media import MediaInbox
from chassis.model_info import ModelInfo
from chassis.models import Model, locate
from chassis.server import Register, run
from chassis.start_folders import needed_folder
from chassis.telemetry import tell_model
from chassis.workers import Workers
from services.vision.attention import AttentionRules
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.frames import picture_decoder
from services.vision.gaze import AwayThresholds
from services.vision.mediapipe_models import (
    MediaPipeFaceDetector,
    MediaPipeLandmarker,
    keep_metrics_here,
)
from services.vision.self_test import check_models
from services.vision.servicer import SERVICE_NAME, VisionServicer
from services.vision.settings import VisionSettings


def build_analyzer(settings: VisionSettings) -> VisionAnalyzer:
    """Locate the models, and refuse them unless they find a drawn face."""
    bundle = locate(settings.landmarker_model, settings.models_dir)
    detector = locate(settings.detector_model, settings.models_dir)
    analyzer = VisionAnalyzer(
        partial(MediaPipeLandmarker, bundle.path),
        partial(MediaPipeFaceDetector, detector.path),
        (_loaded(bundle), _loaded(detector)),
        _options(settings),
        picture_decoder(
            settings.decoder_limits,
            keeps_spare=True,
            worker_count=settings.worker_count,
            growing_count=settings.growing_count,
        ),
    )
    for model in (bundle, detector):
        tell_model(_loaded(model))
    check_models(MediaPipeLandmarker(bundle.path), MediaPipeFaceDetector(detector.path))
    return analyzer


def compose(settings: VisionSettings) -> Register:
    """Put the vision stage together."""
    most_bytes = settings.max_media_bytes
    with needed_folder("VISION_MEDIA_URI_PREFIXES"):
        inbox = MediaInbox(
            max_media_bytes=most_bytes,
            uri_prefixes=settings.media_uri_prefixes,
            max_growing_count=settings.growing_count,
        )
    workers = Workers(settings.worker_count, settings.waiting_count)
    keep_metrics_here()
    analyzer = build_analyzer(settings)
    return VisionServicer(
        analyzer,
        workers,
        inbox,
        max_media_bytes=most_bytes,
        worker_count=settings.worker_count,
        growing_workers=Workers(max(1, settings.growing_count), settings.waiting_count),
    ).add_to


def _options(settings: VisionSettings) -> VisionOptions:
    return VisionOptions(
        sample_rate_hz=settings.sample_rate_hz,
        look_interval_s=settings.look_interval_s,
        sure_score=settings.min_face_confidence,
        min_no_face_s=settings.min_no_face_s,
        min_face_s=settings.min_face_s,
        away=AwayThresholds(settings.away_gaze_deg, settings.away_yaw_deg, settings.min_away_s),
        attention=AttentionRules(
            settings.max_unseen_change, settings.max_face_interval_s, settings.max_nobody_interval_s
        ),
        max_pixels=settings.max_pixels,
    )


def _loaded(model: Model) -> ModelInfo:
    return ModelInfo(model.name, model.version, model.digest, "cpu")


if __name__ == "__main__":
    run(VisionSettings, SERVICE_NAME, compose)
