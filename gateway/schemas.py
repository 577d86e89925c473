"""Bodies of the public API, for its documentation and for the answers that are fixed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class UploadAnswer(BaseModel):
    """An accepted upload: its recordings and its session are durable."""

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
    """Accepted links; the recordings are being fetched."""

    success: Literal[True] = True
    session_id: str
    message: str
    video_count: int


class ErrorAnswer(BaseModel):
    """Any error."""

    success: Literal[False] = False
    code: str
    error: str
    message: str
    detail: Any


class Deletion(BaseModel):
    """A deleted session."""

    success: Literal[True] = True
    session_id: str
    message: str


class SessionList(BaseModel):
    """A page of sessions; each as `GET /status/{session_id}` has it."""

    success: Literal[True] = True
    sessions: list[dict[str, Any]]
    next_page_token: str


class RubricList(BaseModel):
    """The rubrics that answers can be judged by."""

    success: Literal[True] = True
    rubrics: list[str]


class LanguageList(BaseModel):
    """The languages that an upload may name, next to `auto` (BCP-47)."""

    success: Literal[True] = True
    languages: list[str]


class ReassessmentOrder(BaseModel):
    """What to judge a session by."""

    rubric_id: str = Field(min_length=1, max_length=64)


class VersionAnswer(BaseModel):
    """The version that a reassessment makes, or has made."""

    success: Literal[True] = True
    session_id: str
    existing: bool
    version: int
    rubric_id: str
    state: str
    create_time_s: float = Field(description="Seconds since 1970-01-01 UTC.")
    end_time_s: float | None
    create_time: str = Field(description="The same as ISO 8601 in UTC.")
    end_time: str | None
    reason: str
    message: str
    results_url: str


class VersionList(BaseModel):
    """The versions of a result, the first one first; each as a reassessment answers it."""

    success: Literal[True] = True
    session_id: str
    versions: list[dict[str, Any]]


ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorAnswer, "description": "The request is wrong; `message` says what to do."},
    "5XX": {
        "model": ErrorAnswer,
        "description": "Something on our side is away; `Retry-After` says when to retry.",
    },
}

UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "videos": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "Recordings, in order. `files` is understood as well.",
                        },
                        "questions": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "One question a recording, in the same order.",
                        },
                        "candidate_name": {"type": "string"},
                        "language": {"type": "string", "description": "A language code, or `auto`."},
                        "rubric": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "What answers are judged by: one rubric for all, or one each.",
                        },
                        "jumlah_pertanyaan": {"type": "integer", "description": "In place of `questions`."},
                    },
                }
            }
        },
    }
}

LINKS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {
                    "success": True,
                    "language": "en",
                    "data": {
                        "candidate": {"name": "A. Candidate"},
                        "reviewChecklists": {
                            "interviews": [
                                {
                                    "positionId": 1,
                                    "question": "What did you build last?",
                                    "isVideoExist": True,
                                    "recordedVideoUrl": "https://drive.google.com/file/d/FILE_ID/view",
                                }
                            ]
                        },
                    },
                },
            }
        },
    }
}
