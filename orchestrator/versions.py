"""Pure: the versions of a session's result. The first is the session's own, the others judge it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict

from interview.v1 import orchestrator_pb2
from orchestrator.admission import rubrics_of
from orchestrator.sessions import ENDED, STATES, SessionRow
from orchestrator.stages.outputs import FIRST_VERSION
from orchestrator.workflow import ASSESS, Records, StageRecord, assessable


def read_request(value: Mapping[str, Any]) -> orchestrator_pb2.CreateSessionRequest:
    """Read a session's request from the journal. What only a newer version knows is left out.

    After a rollback, sessions of the newer version go on, and are listed.
    """
    return ParseDict(dict(value), orchestrator_pb2.CreateSessionRequest(), ignore_unknown_fields=True)


@dataclass(frozen=True)
class Reassessment:
    """A session to judge again, by the rubric in its request, on what its stages left."""

    request: orchestrator_pb2.CreateSessionRequest
    records: Mapping[int, Records]
    version_id: int
    create_time_s: float

    @classmethod
    def of(cls, row: SessionRow, rubric_id: str, version_id: int, create_time_s: float) -> Reassessment:
        """Take what a session left, and another rubric."""
        request = orchestrator_pb2.CreateSessionRequest()
        request.CopyFrom(row.request)
        request.rubric_id = rubric_id
        for answer in request.answers:
            answer.rubric_id = ""
        records = {place: dict(of_answer) for place, of_answer in row.records.items()}
        return cls(request, records, version_id, create_time_s)

    @property
    def places(self) -> list[int]:
        """The answers that have words to judge, in order. They fix the step ids."""
        return [place for place, records in sorted(self.records.items()) if assessable(records)]

    def to_json(self) -> dict[str, Any]:
        """Return what the engine's journal keeps."""
        return {
            "request": MessageToDict(self.request),
            "records": {
                str(place): {stage: record.to_json() for stage, record in records.items()}
                for place, records in self.records.items()
            },
            "version_id": self.version_id,
            "create_time_s": self.create_time_s,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reassessment:
        """Read what the journal kept."""
        return cls(
            read_request(value["request"]),
            {
                int(place): {stage: StageRecord.from_json(record) for stage, record in records.items()}
                for place, records in value["records"].items()
            },
            value["version_id"],
            value["create_time_s"],
        )


@dataclass(frozen=True)
class VersionRow:
    """A version as the engine keeps it."""

    version_id: int
    rubric_id: str
    state: str
    create_time_s: float
    end_time_s: float | None = None
    reason: str = ""
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.state in ENDED

    def to_message(self) -> orchestrator_pb2.ResultVersion:
        """Return it as it is sent."""
        message = orchestrator_pb2.ResultVersion(
            version_id=self.version_id,
            rubric_id=self.rubric_id,
            state=STATES[self.state],
            create_time_s=self.create_time_s,
            reason=self.reason,
            message=self.message,
        )
        if self.end_time_s is not None:
            message.end_time_s = self.end_time_s
        return message


def first_version(row: SessionRow) -> VersionRow:
    """Return a session's own version."""
    return VersionRow(
        FIRST_VERSION,
        common_rubric(row.request),
        row.state,
        row.create_time_s,
        row.end_time_s,
        row.reason,
        row.message,
    )


def common_rubric(request: orchestrator_pb2.CreateSessionRequest) -> str:
    """Return the rubric that all answers are judged by. Empty for the default or where they differ."""
    rubric_ids = rubrics_of(request)
    return rubric_ids.pop() if len(rubric_ids) == 1 else ""


def reusable(row: SessionRow, later: Sequence[VersionRow], rubric_id: str) -> VersionRow | None:
    """Return the version that judges by a rubric, or None where it has to be made (again).

    One that failed counts as not made, and so does one from before the session was retried.
    """
    judged = all(records[ASSESS].state != "failed" for records in row.records.values())
    if judged and rubrics_of(row.request) == {rubric_id}:
        return first_version(row)
    for version in reversed(later):
        current = not version.ended or (
            version.state == "completed" and (version.end_time_s or 0.0) >= (row.end_time_s or 0.0)
        )
        if version.rubric_id == rubric_id and current:
            return version
    return None


def newest(versions: Sequence[VersionRow]) -> VersionRow:
    """Return the version that was finished last. The first is always one of them."""
    finished = [version for version in versions[1:] if version.state == "completed"]
    return max([versions[0], *finished], key=lambda version: version.end_time_s or 0.0)


def end_of_reassessment(records: Mapping[int, Records]) -> dict[str, Any]:
    """Return how a reassessment ended, as the engine keeps it: a judgement that failed fails it."""
    for _, of_answer in sorted(records.items()):
        if (assessed := of_answer[ASSESS]).state == "failed":
            return {"state": "failed", "reason": assessed.reason, "message": assessed.message}
    return {"state": "completed", "reason": "", "message": ""}
