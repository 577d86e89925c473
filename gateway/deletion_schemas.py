"""What deleting and keeping a session answer with, for the API's documentation."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class DeletedArtifact(BaseModel):
    """One thing that a deletion removed."""

    kind: str = Field(
        description="`media` (a recording), `audio` (sound taken from one), `transcript` (words: a "
        "transcript, a translation, an assessment), `output` (what else a stage found), `result` or `state` "
        "(the session in the database). Kinds may be added."
    )
    name: str = Field(description="Its name within the session, such as `media/1.mp4`.")
    digest: str = Field(description="SHA-256 of its bytes in lower-case hex. Empty for `state`.")
    size_bytes: int = Field(description="Its size. 0 for `state`.")


class Receipt(BaseModel):
    """What a deletion removed."""

    artifacts: list[DeletedArtifact]
    delete_time_s: float = Field(description="When it began, in seconds since 1970-01-01 UTC.")


class LegalHold(BaseModel):
    """Whether a session is kept from deletion and expiry."""

    success: Literal[True] = True
    session_id: str
    held: bool


class Deletion(BaseModel):
    """A deleted session. Its id is never accepted again."""

    success: Literal[True] = True
    session_id: str
    message: str
    receipt: Receipt
