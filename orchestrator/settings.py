"""What the orchestrator can be told. A field `store_url` is the variable `ORCHESTRATOR_STORE_URL`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings

S_PER_DAY = 86_400.0


def _data_dir() -> Path:
    return Path(platformdirs.user_data_dir("interview-assessment"))


@dataclass(frozen=True)
class Preferences:
    """Settings that change what stages answer. They are part of every output's name."""

    target_languages: tuple[str, ...]
    reader_language: str
    seed: int


@dataclass(frozen=True)
class RetentionPeriods:
    """How long parts of a session are kept after its end, in days. 0 keeps them until it is deleted."""

    media_days: float = 0.0
    audio_days: float = 0.0
    transcript_days: float = 0.0
    result_days: float = 0.0
    """After that the session goes as a whole."""
    audit_days: float = 0.0
    """Of the audit log's records, from the day on which they were written."""

    def expired_kinds(self, age_s: float) -> frozenset[str]:
        """Return the kinds of artifacts that have had their time. See `DeletedArtifact`."""
        periods = (
            (self.media_days, {"media"}),
            (self.audio_days, {"audio"}),
            (self.transcript_days, {"transcript", "result"}),
        )
        return frozenset().union(*(kinds for days, kinds in periods if 0 < days * S_PER_DAY <= age_s))

    def session_expired(self, age_s: float) -> bool:
        """Tell whether the session has had its time."""
        return 0 < self.result_days * S_PER_DAY <= age_s


class OrchestratorSettings(ServiceSettings):
    """What belongs to no single stage.

    A process reads more: each stage's address, places and time, from `stages/catalogue.py:settings_class`.
    """

    model_config = SettingsConfigDict(env_prefix="ORCHESTRATOR_", frozen=True, extra="ignore")

    port: int = Field(50056, ge=0, le=65535)

    store_url: str = Field(default_factory=lambda: (_data_dir() / "store").as_uri())
    """The media store that gateway and stages share: `file:///…` or `s3://…`."""
    database_url: str = Field(default_factory=lambda: f"sqlite:///{_data_dir() / 'orchestrator.sqlite'}")
    """State of the workflow engine: SQLite on one machine, `postgresql://…` on a cluster."""
    executor_id: str = ""
    """Names this replica: the same after a restart, different from every other. A pod's name is right.
    Empty: `local` on SQLite, the host's name on Postgres."""
    flow_version: str = "1"
    """Raise it only for a plan that can't go on with sessions begun under the old one."""
    heartbeat_interval_s: float = Field(2.0, gt=0)
    """Between two signs of life (Postgres only)."""
    dead_after_s: float = Field(15.0, gt=0)
    """Silence after which a replica's sessions are taken over (Postgres only)."""
    migrate_at_start: bool = True
    """Whether the start makes the database's tables and brings them up to date. False: it only checks them.
    `python -m orchestrator migrate` makes them, and the process needs no right to change tables."""

    session_count: int = Field(2, ge=1, le=64)
    """Sessions at work at once on this replica."""
    waiting_session_count: int = Field(1000, ge=0)
    """Sessions that may wait for their turn. One more is refused (`SESSIONS_FULL`)."""
    queue_poll_s: float = Field(0.5, ge=0.05, le=10)
    """How often the engine looks for sessions that wait."""

    sweep_interval_s: float = Field(300.0, gt=0)
    """How often the store is looked through for what nobody takes care of any more."""
    orphan_s: float = Field(3600.0, gt=0)
    """How long recordings may lie in the store without a session. Longer than any upload takes."""

    media_retention_days: float = Field(7.0, ge=0)
    """How long recordings are kept after a session's end. 0 keeps them until it is deleted."""
    audio_retention_days: float = Field(7.0, ge=0)
    """The same for the sound that was taken from them."""
    transcript_retention_days: float = Field(0.0, ge=0)
    """The same for words: transcripts, translations, assessments, and the results, which quote them."""
    result_retention_days: float = Field(0.0, ge=0)
    """The same for the session as a whole."""
    audit_retention_days: float = Field(0.0, ge=0)
    """How long records of the audit log are kept. 0 keeps them for good."""

    stage_attempt_count: int = Field(6, ge=1, le=20)
    """Attempts at a stage that answers with a failure, before it counts as failed. A stage that can't be
    reached or is full has done nothing, and uses up none."""
    stage_first_delay_s: float = Field(1.0, gt=0)
    """Pause after the first failed attempt. It doubles, with jitter."""
    stage_max_delay_s: float = Field(20.0, gt=0)
    max_wait_s: float = Field(86_400.0, gt=0)
    """How long an answer waits for a stage that can't be reached or is full, before it counts as failed."""
    probe_interval_s: float = Field(1.0, gt=0, le=60)
    """Between two looks for a stage that is away. One looks for all that wait."""
    stall_timeout_s: float = Field(600.0, gt=0)
    """Time in which a stage that reports progress must get on, whatever the recording's length."""
    stall_timeout_factor: float = Field(0.5, ge=0)
    """Seconds more for each second of the recording."""

    max_fetch_bytes: int = Field(100_000_000, ge=1)
    """Largest recording that is fetched from a link."""
    min_fetch_bytes_per_s: int = Field(16_384, ge=1)
    """Least pace of a link's server, over each `fetch_stall_s`. A slower one gives its place up."""
    fetch_stall_s: float = Field(20.0, gt=0)
    """How long a link's server may stay below the least pace, and how long it may take to begin."""
    link_hosts: tuple[str, ...] = ()
    """Hosts that links may lead to, redirects included. `.example.org` stands for all hosts below that name,
    and `drive.google.com` for all of Google Drive. Empty: any public host."""
    drive_download_url: str = "https://drive.usercontent.google.com/download"
    """Where Google Drive hands files out."""
    allow_private_links: bool = False
    """Whether links may lead into private networks. Only for tests and closed networks."""
    spool_dir: Path | None = None
    """Folder for a recording while it arrives. None: the system's."""
    early_count: int = Field(2, ge=0, le=64)
    """Recordings that are worked on while they still arrive, on this replica. Accepted sessions go first. 0
    switches it off."""

    max_duration_s: float = Field(3600.0, gt=0)
    """Longest recording."""
    max_pixel_count: int = Field(7680 * 4320, ge=1)
    """Largest picture. The default is 8K."""
    max_track_count: int = Field(16, ge=1)
    extract_max_memory_bytes: int = Field(384 << 20, ge=256 << 20)
    """Address space of a decoding process. At most `extract_count` and `early_count` work at once."""

    target_languages: tuple[str, ...] = ("en", "id")
    """Languages in which every transcript is to exist. What was not spoken in one is translated."""
    reader_language: str = ""
    """Language of remarks and conclusions. Empty: the answer's."""
    seed: int = 7
    """Handed to the assessor, so that a run can be repeated."""

    @property
    def retention(self) -> RetentionPeriods:
        """How long things are kept."""
        return RetentionPeriods(
            self.media_retention_days,
            self.audio_retention_days,
            self.transcript_retention_days,
            self.result_retention_days,
            self.audit_retention_days,
        )

    @property
    def preferences(self) -> Preferences:
        """Settings that change what stages answer."""
        return Preferences(self.target_languages, self.reader_language, self.seed)
