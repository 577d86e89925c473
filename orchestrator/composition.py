"""Puts the orchestrator together from its settings. Call it inside the running event loop."""

from __future__ import annotations

from chassis.client import RetryPolicy
from chassis.store import MediaStore
from orchestrator import workflow
from orchestrator.durable.config import EngineConfig
from orchestrator.durable.engine import Engine
from orchestrator.progress import Board
from orchestrator.reassessing import Reassessments
from orchestrator.result.writer import ResultWriter
from orchestrator.servicer import OrchestratorServicer
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.extract import ExtractionLimits, Extractor
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import RemoteStages, Stages
from orchestrator.stages.requests import Preferences
from orchestrator.stages.runner import StageRunner


def compose(
    settings: OrchestratorSettings, *, stages: Stages | None = None
) -> tuple[OrchestratorServicer, Engine]:
    """Return the servicer and the engine, which is still to be started.

    Args:
        settings: All of it.
        stages: Stand-ins for the services; None: the real ones.
    """
    media = MediaStore(settings.store_url)
    outputs, board = SessionStore(media), Board()
    preferences = Preferences(settings.target_languages, settings.reader_language, settings.seed)
    stages = stages or RemoteStages(settings)
    runner = StageRunner(
        stages,
        Extractor(media, _limits(settings)),
        media,
        outputs,
        preferences,
        retry=RetryPolicy(
            settings.stage_attempt_count, settings.stage_first_delay_s, settings.stage_max_delay_s
        ),
        place_counts={stage: getattr(settings, f"{stage}_count") for stage in workflow.STAGES},
        watcher=board,
    )
    engine = Engine(_engine_config(settings), runner, board, ResultWriter(outputs, preferences).write)
    reassessments = Reassessments(engine, stages, settings.waiting_session_count)
    return OrchestratorServicer(engine, board, outputs, media, reassessments, stages), engine


def _limits(settings: OrchestratorSettings) -> ExtractionLimits:
    return ExtractionLimits(
        max_media_bytes=settings.max_media_bytes,
        max_duration_s=settings.max_duration_s,
        max_pixel_count=settings.max_pixel_count,
        max_track_count=settings.max_track_count,
        max_memory_bytes=settings.extract_max_memory_bytes,
        timeout_s=settings.extract_timeout_s,
    )


def _engine_config(settings: OrchestratorSettings) -> EngineConfig:
    return EngineConfig(
        database_url=settings.database_url,
        executor_id=settings.executor_id,
        flow_version=settings.flow_version,
        session_count=settings.session_count,
        queue_poll_s=settings.queue_poll_s,
        heartbeat_interval_s=settings.heartbeat_interval_s,
        dead_after_s=settings.dead_after_s,
    )
