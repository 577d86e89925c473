"""Puts the orchestrator together from its settings. Call it inside the running event loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc

from chassis.client import RetryPolicy
from chassis.media import MediaInbox
from chassis.private_files import keep_from_others
from chassis.scratch import remove_left_folders
from chassis.start_folders import needed_folder
from chassis.store import MediaStore
from orchestrator.accepting import Accepting
from orchestrator.admission import Admission
from orchestrator.audit.log import AuditLog
from orchestrator.audit.servicer import AuditServicer
from orchestrator.audit.table import AuditTable
from orchestrator.capabilities import Capabilities
from orchestrator.durable.config import EngineConfig
from orchestrator.durable.engine import Engine
from orchestrator.durable.shared_places import SharedPlaces
from orchestrator.early.following import Following
from orchestrator.early.left_over import LeftArrivals
from orchestrator.early.places import YieldingPlaces
from orchestrator.early.work import EarlyWork
from orchestrator.erasing import Erasure
from orchestrator.progress import ProgressTracker
from orchestrator.reassessing import Reassessments
from orchestrator.recordings import MAX_UPLOAD_COUNT, Recordings
from orchestrator.result.writer import ResultWriter
from orchestrator.retention import LegalHolds, Retention
from orchestrator.running.place_counts import PlaceCounts
from orchestrator.running.places import Places, own_places
from orchestrator.running.runner import StageRunner
from orchestrator.running.watch import Pace
from orchestrator.servicer import OrchestratorServicer
from orchestrator.session_metrics import begin_counting, tell_waiting_sessions
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.assess import Assess
from orchestrator.stages.catalogue import build_stages
from orchestrator.stages.outputs import SessionStore
from orchestrator.stages.remote import Channels
from orchestrator.stages.stage import Parts, Service, Stage
from orchestrator.stages.transcribe import Transcribe
from orchestrator.sweeping import Sweep
from orchestrator.tombstones import Tombstones


@dataclass(frozen=True)
class Servicers:
    """What the process serves."""

    orchestrator: OrchestratorServicer
    audit: AuditServicer

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register with a server."""
        self.orchestrator.add_to(server)
        self.audit.add_to(server)


def compose(
    settings: OrchestratorSettings, *, services: Mapping[str, Service] | None = None
) -> tuple[Servicers, Engine]:
    """Return the servicers and the engine, which is still to be started.

    Args:
        settings: An object of `settings_class()`.
        services: Stand-ins for what does the stages' work, by name. What is not named is real.
    """
    _prepare_scratch(settings.spool_dir)
    media = _store(settings.store_url)
    tombstones = Tombstones(media)
    outputs, tracker = SessionStore(media, tombstones), ProgressTracker()
    parts = Parts(settings, media, outputs, Channels(), services or {})
    stages, config = build_stages(parts), _engine_config(settings)
    counts = PlaceCounts(stages)
    places = _places(stages, config, counts)
    early = EarlyWork(stages.values(), places, media, settings)
    runner = _runner(stages, parts, places, early, tracker)
    writer = ResultWriter(outputs, settings.preferences)
    engine = Engine(config, runner, tracker, writer.write)
    audit = AuditLog(AuditTable(config.database_url, engine.trouble), engine.trouble)
    rubric_ids = Assess(parts).rubric_ids
    admission = Admission(media, engine.waiting_count, settings.waiting_session_count, rubric_ids)
    capabilities = Capabilities(Transcribe(parts).language_codes, rubric_ids, admission.has_room)
    reassessments = Reassessments(engine, admission, tombstones, audit)
    recordings = Recordings(_inbox(settings), media, engine.get, tombstones)
    accepting = Accepting(engine, admission, media, tombstones, audit)
    erasure = Erasure(engine, media, tombstones, audit)
    holds = LegalHolds(media)
    retention = Retention(engine, erasure, holds, settings.retention, audit)
    sweep = Sweep(
        *(engine, media, tombstones, erasure, retention),
        interval_s=settings.sweep_interval_s,
        orphan_s=settings.orphan_s,
        arrivals=LeftArrivals(media, settings.orphan_s),
    )
    begin_counting(stages)
    waiting = partial(tell_waiting_sessions, engine.waiting_count)
    for chore in (sweep.run, audit.run, early.run, counts.run, waiting):
        engine.look_after(chore)
    engine.end_with(audit.close)
    orchestrator = OrchestratorServicer(
        *(engine, tracker, outputs, accepting, reassessments, capabilities, recordings),
        Following(early, engine.get, tombstones),
        *(erasure, holds, audit),
    )
    return Servicers(orchestrator, AuditServicer(audit)), engine


def _store(url: str) -> MediaStore:
    with needed_folder("ORCHESTRATOR_STORE_URL"):
        store = MediaStore(url)
    if (folder := store.local_path("")) is not None:
        keep_from_others(folder)
    return store


def _runner(
    stages: Mapping[str, Stage], parts: Parts, places: Places, early: EarlyWork, tracker: ProgressTracker
) -> StageRunner:
    settings = parts.settings
    return StageRunner(
        stages,
        parts.store,
        retry=RetryPolicy(
            settings.stage_attempt_count, settings.stage_first_delay_s, settings.stage_max_delay_s
        ),
        places=places,
        listener=tracker,
        pace=Pace(settings.max_wait_s, settings.probe_interval_s),
        early=early,
    )


def _inbox(settings: OrchestratorSettings) -> MediaInbox:
    return MediaInbox(
        max_media_bytes=settings.max_media_bytes,
        uri_prefixes=(),
        spool_dir=settings.spool_dir,
        max_open_count=MAX_UPLOAD_COUNT,
    )


def _prepare_scratch(spool_dir: Path | None) -> None:
    """Make the folder for recordings that arrive, and remove what a killed process left."""
    if spool_dir is not None:
        with needed_folder("ORCHESTRATOR_SPOOL_DIR"):
            spool_dir.mkdir(parents=True, exist_ok=True)
        remove_left_folders(spool_dir)
    remove_left_folders()


def _places(stages: Mapping[str, Stage], config: EngineConfig, counts: PlaceCounts) -> YieldingPlaces:
    """Return the places at the stages. On Postgres, replicas share those of the services.

    What this process does itself (fetching, extracting) loads its own machine, so each replica has its own.
    """
    own = own_places(counts)
    counts.on_change(own.changed)
    if config.on_sqlite:
        return YieldingPlaces(own, counts)
    shared = frozenset(name for name, stage in stages.items() if stage.defaults.service)
    places = SharedPlaces(config.database_url, config.incarnation, counts, own, shared)
    return YieldingPlaces(places, counts, places.is_waited_for)


def _engine_config(settings: OrchestratorSettings) -> EngineConfig:
    return EngineConfig(
        database_url=settings.database_url,
        executor_id=settings.executor_id,
        flow_version=settings.flow_version,
        session_count=settings.session_count,
        queue_poll_s=settings.queue_poll_s,
        heartbeat_interval_s=settings.heartbeat_interval_s,
        dead_after_s=settings.dead_after_s,
        migrate_at_start=settings.migrate_at_start,
    )
