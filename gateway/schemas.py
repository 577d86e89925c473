"""Bodies of the public API, for its documentation and for the answers that are fixed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.sessions import SessionState

SESSION_ID = "3f2b8c1d4e5f60718293a4b5c6d7e8f9"
UPLOAD_EXAMPLE: dict[str, Any] = {
    "success": True,
    "session_id": SESSION_ID,
    "job_id": SESSION_ID,
    "status": "queued",
    "uploaded_videos": 1,
    "message": "Videos uploaded successfully. Processing started.",
    "warnings": [],
    "status_url": f"/status/{SESSION_ID}",
    "results_url": f"/results/{SESSION_ID}",
}
STATUS_EXAMPLE: dict[str, Any] = {
    "success": True,
    "session_id": SESSION_ID,
    "status": "processing",
    "state": "processing",
    "progress": "1/1",
    "message": "Transcribing video 1/1...",
    "current_video": 1,
    "total_videos": 1,
    "uploaded_videos": 1,
    "percent": 22.5,
    "eta_s": 31.0,
    "candidate_name": "A. Candidate",
    "create_time_s": 1796113800.25,
    "end_time_s": None,
    "create_time": "2026-12-01T08:30:00.250Z",
    "end_time": None,
    "held": False,
    "stages": {
        "transcribe": {"state": "running", "done": 0, "failed": 0, "skipped": 0, "total": 1, "percent": 50.0}
    },
    "answers": [
        {
            "position": 1,
            "assessed": None,
            "stages": [
                {
                    "stage": "transcribe",
                    "state": "running",
                    "percent": 50.0,
                    "attempts": 1,
                    "reason": "",
                    "message": "",
                    "waiting_since_s": None,
                    "waiting_since": None,
                }
            ],
        }
    ],
}


class UploadAnswer(BaseModel):
    """An accepted upload: its recordings and its session are durable."""

    model_config = ConfigDict(json_schema_extra={"examples": [UPLOAD_EXAMPLE]})

    success: Literal[True] = True
    session_id: str
    job_id: str
    status: str
    uploaded_videos: int
    message: str
    warnings: list[str] = Field(
        default=[], description="What is odd about the upload, though it was accepted."
    )
    status_url: str
    results_url: str


class LinksAnswer(BaseModel):
    """Accepted links. The recordings are being fetched."""

    success: Literal[True] = True
    session_id: str
    message: str
    video_count: int


class ErrorAnswer(BaseModel):
    """Any error."""

    success: Literal[False] = False
    code: str = Field(description="The reason, for programs.")
    error: str = Field(description="One sentence or two for people, with what to do.")
    message: str = Field(description="The same as `error`.")
    detail: Any = Field(description="The same as `error`, or FastAPI's list of wrong fields.")
    fields: dict[str, str] = Field({}, description="Which fields are wrong, where that is known.")


class StageStatus(BaseModel):
    """One stage of one answer."""

    model_config = ConfigDict(extra="forbid")

    stage: str
    state: str = Field(description="`pending`, `running`, `waiting`, `done`, `failed` or `skipped`.")
    percent: float | None = Field(description="Share of its work that is done. Null where it can't be told.")
    attempts: int
    reason: str = Field(description="Why it failed, was left out or waits (UPPER_SNAKE). Empty otherwise.")
    message: str
    waiting_since_s: float | None = Field(
        description="Since when it waits for its service, in seconds since 1970-01-01 UTC. Null otherwise."
    )
    waiting_since: str | None = Field(description="The same in ISO 8601.")


class AnswerStatus(BaseModel):
    """One answer."""

    model_config = ConfigDict(extra="forbid")

    position: int = Field(description="Its number as the upload gave it, from 1 on.")
    assessed: bool | None = Field(
        description="Whether its recording and its words could be read. Null until that is settled."
    )
    stages: list[StageStatus]


class StageSummary(BaseModel):
    """One stage over all answers."""

    model_config = ConfigDict(extra="forbid")

    state: str
    done: int
    """Answers for which it is done. Those for which it failed or was left out are counted beside it."""
    failed: int
    skipped: int
    total: int
    percent: float


class FailedAnswer(BaseModel):
    """An answer that could not be assessed, in the original's words."""

    model_config = ConfigDict(extra="forbid")

    positionId: int  # noqa: N815  # the original's name
    error: str


class Completion(BaseModel):
    """What the original's page shows at the end."""

    model_config = ConfigDict(extra="forbid")

    success: Literal[True]
    transcriptions: list[FailedAnswer]
    processed_videos: int
    successful_videos: int
    failed_videos: int
    results_url: str


class StatusAnswer(BaseModel):
    """Where a session is."""

    model_config = ConfigDict(extra="forbid")

    success: bool
    session_id: str
    status: Literal["uploading", "queued", "processing", "completed", "failed", "error"] = Field(
        description="The word that clients poll for. The original's pages are told `error` for `failed`."
    )
    state: SessionState = Field(description="The same in more detail.")
    progress: str = Field(description="The answer at work of all answers, such as `1/5`.")
    message: str
    current_video: int
    total_videos: int
    uploaded_videos: int
    percent: float
    eta_s: float | None = Field(description="Seconds that are still needed, an estimate. Null without one.")
    candidate_name: str
    create_time_s: float = Field(description="When it was accepted, in seconds since 1970-01-01 UTC.")
    end_time_s: float | None
    create_time: str = Field(description="The same as ISO 8601 in UTC.")
    end_time: str | None
    held: bool | None = Field(
        description="Whether it is under a legal hold, which keeps it from deletion and expiry. It is seconds"
        " old at most. Null while that can't be told."
    )
    stages: dict[str, StageSummary] = Field(description="By the stage's name.")
    answers: list[AnswerStatus]
    results_url: str | None = Field(
        None,
        description="Only once it has ended. The document there is a `ResultDocument`, whose JSON Schema is"
        " served at `/schemas/result.json`.",
    )
    redirect: str | None = Field(None, description="Only when completed: the original's page to go to.")
    result: Completion | None = Field(None, description="Only when completed.")
    code: str | None = Field(None, description="Only when it failed or was cancelled: why (UPPER_SNAKE).")
    error: str | None = Field(None, description="The same in words.")
    error_detail: str | None = Field(None, description="The same with every stage that failed.")


class SessionList(BaseModel):
    """A page of sessions, the newest first."""

    success: Literal[True] = True
    sessions: list[StatusAnswer]
    next_page_token: str = Field(description="Where the next page begins. Empty on the last.")


class ReassessmentOrder(BaseModel):
    """What to judge a session by."""

    rubric_id: str = Field(min_length=1, max_length=64)


class Version(BaseModel):
    """A version of a session's result."""

    version: int = Field(description="Its number within the session, from 1 on.")
    rubric_id: str = Field(description="Empty: the default, or another one for each answer.")
    state: SessionState
    create_time_s: float = Field(description="When it was asked for, in seconds since 1970-01-01 UTC.")
    end_time_s: float | None
    create_time: str = Field(description="The same as ISO 8601 in UTC.")
    end_time: str | None
    reason: str
    message: str
    results_url: str


class VersionAnswer(Version):
    """The version that a reassessment makes, or has made."""

    success: Literal[True] = True
    session_id: str
    existing: bool = Field(description="Whether it was there already.")


class VersionList(BaseModel):
    """The versions of a session's result, the first one first."""

    success: Literal[True] = True
    session_id: str
    versions: list[Version]


class Health(BaseModel):
    """It is well."""

    status: Literal["ok"] = "ok"


class WhoAmI(BaseModel):
    """Who is calling."""

    kind: Literal["person", "key", "anybody"] = Field(
        description="Somebody who signed in, a key, or anybody, where nobody is asked for either."
    )
    caller: str = Field(
        description="Under which name we know the caller, in logs as well. Empty for anybody."
    )
    name: str = Field(description="The key's name, or what the provider calls the person.")
    end_time_s: float | None = Field(
        None, description="When the person's sign-in ends, in seconds since 1970-01-01 UTC."
    )
