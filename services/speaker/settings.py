"""Settings of the speaker stage: `SPEAKER_…` in the environment."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings


class SpeakerSettings(ServiceSettings):
    """What the speaker stage can be told."""

    model_config = SettingsConfigDict(env_prefix="SPEAKER_", frozen=True, extra="ignore")

    port: int = Field(50055, ge=0, le=65535)
    model: str = "voice-encoder"
    """The voice encoder: a name of the catalogue, or a path to Resemblyzer's weights."""
    thread_count: int = Field(1, ge=1, le=64)
    """Threads of one embedding batch. Calls are small: more threads burn more time than they save."""
    max_duration_s: float = Field(5400.0, gt=0)
    """Longest sound track. Memory grows with it."""
    growing_count: int = Field(1, ge=0, le=256)
    """Recordings that are worked on while they arrive, beside `worker_count` others. One more is received
    first."""
