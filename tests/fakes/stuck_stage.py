"""A stage with an engine that may ignore its stop event, as a process: `python -m tests.fakes.stuck_stage`.

The recording's bytes say what its work does: `stuck` goes on for ever, `quick` ends at once, and anything
else ends once a file of that name exists.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from pydantic_settings import SettingsConfigDict

from chassis.media import MediaInbox
from chassis.server import Register, run
from chassis.settings import ServiceSettings
from chassis.workers import Workers
from interview.v1 import speaker_pb2_grpc
from tests.stage_world import SERVICE, Servicer


class StuckSettings(ServiceSettings):
    """Settings of the stage: `STUCK_…`."""

    model_config = SettingsConfigDict(env_prefix="STUCK_", frozen=True, extra="ignore")

    port: int = 0


def work(recording: Path, stop: threading.Event) -> Iterator[float]:
    told = recording.read_text(encoding="utf-8")
    yield 1.0
    if told == "stuck":
        threading.Event().wait()
    while told != "quick" and not Path(told).exists() and not stop.is_set():
        time.sleep(0.02)
    yield 2.0


def compose(settings: StuckSettings) -> Register:
    inbox = MediaInbox(max_media_bytes=settings.max_media_bytes, uri_prefixes=())
    servicer = Servicer(work, Workers(settings.worker_count, settings.waiting_count), inbox)
    return lambda server: speaker_pb2_grpc.add_SpeakerServiceServicer_to_server(servicer, server)


if __name__ == "__main__":
    run(StuckSettings, SERVICE, compose)
