"""What the audit log is shown as, for the API's documentation."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from chassis.audit_chain import GENESIS


class AuditRecord(BaseModel):
    """One record. Kinds of actions and details may be added."""

    seq: int = Field(description="Its number, from 1 on.")
    previous: str = Field(description="Hash of the record before. 64 zeros before the first.")
    hash: str = Field(
        description="SHA-256 of the record without this field: JSON with sorted keys, no blanks, ASCII."
    )
    time_ms: int = Field(description="When it was written, in milliseconds since 1970-01-01 UTC.")
    action: str = Field(description="Such as `session.delete` or `result.read`.")
    outcome: str = Field(
        description="`begun` before a change, then `ok`, or why it was not made (UPPER_SNAKE)."
    )
    session: str = Field(description="SHA-256 of the session's id in lower-case hex. Empty without one.")
    who: str = Field(description="Such as `key:ana`, `anonymous` or `system:sweep`.")
    group: str = Field(description="That one's group.")
    via: str = Field(description="The process that called for them, by its certificate or token.")
    count: int = Field(description="How often it happened. Repeats within a minute are one record.")
    details: dict[str, str | int] = Field(description="Digests, counts and numbers.")


class AuditHead(BaseModel):
    """The newest record of the log. Keep it elsewhere: a later log has to hold it."""

    success: Literal[True] = True
    seq: int = Field(description="0 in an empty log.")
    hash: str


AUDIT_EXAMPLE = AuditRecord(
    seq=1,
    previous=GENESIS,
    hash="5d41" * 16,
    time_ms=1_800_000_000_000,
    action="session.accept",
    outcome="begun",
    session="9f86" * 16,
    who="key:ana",
    group="hr",
    via="",
    count=1,
    details={"answer_count": 2},
)
