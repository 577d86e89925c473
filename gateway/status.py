"""A session's state in the words that HTTP clients depend on.

Both of the original's pages know `uploading`, `processing`, `completed` and `error`, and poll anything
else silently for 30 minutes. They always send `ngrok-skip-browser-warning`, by which we know them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.sessions import (
    FINAL_STATES,
    UNFINISHED_STATES,
    AnswerView,
    SessionState,
    SessionView,
    StageState,
    StageView,
)

LEGACY_HEADER = "ngrok-skip-browser-warning"

_WORDS = {
    SessionState.FETCHING: "uploading",
    SessionState.QUEUED: "queued",
    SessionState.PROCESSING: "processing",
    SessionState.COMPLETED: "completed",
    SessionState.FAILED: "failed",
    SessionState.CANCELLED: "failed",
}
_LEGACY_WORDS = {"uploading": "processing", "queued": "processing", "failed": "error"}

_STAGE_MESSAGES = {
    "fetch": "Downloading video {i}/{n}...",
    "extract": "Extracting audio from video {i}/{n}...",
    "transcribe": "Transcribing video {i}/{n}...",
    "translate": "Translating transcription {i}/{n}...",
    "assess": "Assessing answer {i}/{n}...",
    "vision": "Analyzing video {i}/{n}...",
    "speaker": "Analyzing voices {i}/{n}...",
}
_SERVICES = {"transcribe": "transcriber", "translate": "translator", "assess": "assessor"}
"""What does a stage's work, where it is not called as the stage is."""
_WAITED_FOR = {
    "STORE_UNAVAILABLE": "the media store",
    "STORE_FULL": "the media store",
    "WORK_FOLDER_FULL": "room on the disk",
}
"""What a stage waits for by its reason, where it is not its service."""
_MESSAGES = {
    SessionState.FETCHING: "Downloading videos...",
    SessionState.QUEUED: "Waiting for its turn...",
    SessionState.COMPLETED: "Assessment completed.",
    SessionState.FAILED: "The assessment failed.",
    SessionState.CANCELLED: "The assessment was cancelled.",
}


def describe(session: SessionView, *, legacy: bool = False) -> dict[str, Any]:
    """Return the body of `GET /status/{session_id}`.

    Args:
        session: The session.
        legacy: Whether one of the original's pages asks.
    """
    word = _WORDS[session.state]
    total = len(session.answers)
    current = _current_answer(session)
    body: dict[str, Any] = {
        "success": True,
        "session_id": session.session_id,
        "status": _LEGACY_WORDS.get(word, word) if legacy else word,
        "state": session.state.value,
        "progress": f"{current}/{total}",
        "message": _message(session, current),
        "current_video": current,
        "total_videos": total,
        "uploaded_videos": total,
        "percent": 100.0 if session.state is SessionState.COMPLETED else round(100 * session.done_ratio, 1),
        "eta_s": None if session.remaining_s is None else round(session.remaining_s, 1),
        "candidate_name": session.candidate_name,
        "create_time_s": session.create_time_s,
        "end_time_s": session.end_time_s,
        "create_time": iso_time(session.create_time_s),
        "end_time": iso_time(session.end_time_s),
        "held": session.held,
        "stages": _stages(session),
        "answers": [_answer(answer) for answer in session.answers],
    }
    if session.state is SessionState.COMPLETED:
        body.update(_completion(session))
    elif session.state in FINAL_STATES:
        body.update(_failure(session))
    return body


def iso_time(time_s: float | None) -> str | None:
    """Return seconds since 1970-01-01 UTC as ISO 8601 in UTC, such as `2026-12-01T08:30:00.250Z`."""
    if time_s is None:
        return None
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _failure(session: SessionView) -> dict[str, Any]:
    message = session.message or _MESSAGES[session.state]
    detail = [
        f"Video {position}: {stage.stage}: {stage.message}" for position, stage in _failed_stages(session)
    ]
    reason = session.reason or ("CANCELLED" if session.state is SessionState.CANCELLED else "SESSION_FAILED")
    results_url = f"/results/{session.session_id}.json"
    return {
        "success": False,
        "code": reason,
        "error": message,
        "error_detail": "\n".join(detail) or message,
        "results_url": results_url,
    }


def _completion(session: SessionView) -> dict[str, Any]:
    failed = [answer.position for answer in session.answers if answer.assessed is False]
    results_url = f"/results/{session.session_id}.json"
    messages = dict(reversed([(position, stage.message) for position, stage in _failed_stages(session)]))
    return {
        "redirect": f"halaman_dasboard.html?session={session.session_id}",
        "results_url": results_url,
        "result": {
            "success": True,
            # As in the original, the failed ones only.
            "transcriptions": [
                {"positionId": position, "error": messages.get(position, "")} for position in failed
            ],
            "processed_videos": len(session.answers),
            "successful_videos": len(session.answers) - len(failed),
            "failed_videos": len(failed),
            "results_url": results_url,
        },
    }


def _failed_stages(session: SessionView) -> list[tuple[int, StageView]]:
    return [
        (answer.position, stage)
        for answer in session.answers
        for stage in answer.stages
        if stage.state is StageState.FAILED
    ]


def _current_answer(session: SessionView) -> int:
    """Place of the first answer that is at work, 0 before the work begins, the last one after it."""
    if session.state is SessionState.QUEUED:
        return 0
    for place, answer in enumerate(session.answers, start=1):
        if not _at_rest(answer):
            return place
    return len(session.answers)


def _at_rest(answer: AnswerView) -> bool:
    return all(stage.state not in UNFINISHED_STATES for stage in answer.stages)


def _message(session: SessionView, current: int) -> str:
    total = len(session.answers)
    if session.state not in (SessionState.PROCESSING, SessionState.FETCHING):
        return (session.message if session.state is not SessionState.COMPLETED else "") or _MESSAGES[
            session.state
        ]
    for place, answer in enumerate(session.answers, start=1):
        for stage in answer.stages:
            if stage.state is StageState.RUNNING and stage.stage in _STAGE_MESSAGES:
                return _STAGE_MESSAGES[stage.stage].format(i=place, n=total)
    if (waiting := _longest_waiting(session)) is not None:
        service = f"the {_SERVICES.get(waiting.stage, waiting.stage)} service"
        time = iso_time(waiting.waiting_since_s) or ""
        since = f"since {time[:10]} {time[11:16]} UTC"
        if waiting.reason == "STAGE_DIED_ONCE":
            why = f"because {service} broke off"
            return f"Waiting {since} to try an answer once more, {why}. It goes on by itself."
        who = _WAITED_FOR.get(waiting.reason, service)
        return f"Waiting for {who} {since}. It goes on by itself."
    return _MESSAGES.get(session.state, f"Processing video {current}/{total}...")


def _longest_waiting(session: SessionView) -> StageView | None:
    stages = [stage for answer in session.answers for stage in answer.stages]
    waiting = [stage for stage in stages if stage.waiting_since_s is not None]
    return min(waiting, key=lambda stage: stage.waiting_since_s or 0.0, default=None)


def _stages(session: SessionView) -> dict[str, dict[str, Any]]:
    """How far each stage is over all answers: the state that says most, and how many of how many."""
    found: dict[str, list[StageView]] = {}
    for answer in session.answers:
        for stage in answer.stages:
            found.setdefault(stage.stage, []).append(stage)
    return {name: _stage_summary(views) for name, views in found.items()}


def _stage_summary(views: list[StageView]) -> dict[str, Any]:
    states = [view.state for view in views]
    rest = [state for state in states if state not in UNFINISHED_STATES]
    if StageState.RUNNING in states:
        state = StageState.RUNNING
    elif StageState.WAITING in states:
        state = StageState.WAITING
    elif rest and StageState.PENDING in states:
        state = StageState.RUNNING
    elif StageState.PENDING in states:
        state = StageState.PENDING
    else:
        order = (StageState.FAILED, StageState.DONE, StageState.SKIPPED)
        state = next(candidate for candidate in order if candidate in states)
    ratios = [1.0 if view.state in rest else view.done_ratio or 0.0 for view in views]
    return {
        "state": state.value,
        "done": states.count(StageState.DONE),
        "failed": states.count(StageState.FAILED),
        "skipped": states.count(StageState.SKIPPED),
        "total": len(states),
        "percent": round(100 * sum(ratios) / len(ratios), 1),
    }


def _answer(answer: AnswerView) -> dict[str, Any]:
    return {
        "position": answer.position,
        "assessed": answer.assessed,
        "stages": [
            {
                "stage": stage.stage,
                "state": stage.state.value,
                "percent": None if stage.done_ratio is None else round(100 * stage.done_ratio, 1),
                "attempts": stage.attempt_count,
                "reason": stage.reason,
                "message": stage.message,
                "waiting_since_s": stage.waiting_since_s,
                "waiting_since": iso_time(stage.waiting_since_s),
            }
            for stage in answer.stages
        ],
    }
