"""What the door lets in, the orchestrator and the stages take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chassis.limits import (
    MAX_ANSWER_COUNT,
    MAX_MEDIA_BYTES,
    MAX_NAME_CHARACTERS,
    MAX_PAGE_SESSION_COUNT,
    MAX_QUESTION_CHARACTERS,
)
from chassis.settings import ServiceSettings
from chassis.store import MediaStore
from gateway.settings import GatewaySettings
from gateway.uploads.forms import ReceivedFile, ReceivedForm, read_submission
from gateway.uploads.links import read_linked_session
from gateway.uploads.texts import display_name
from interview.v1 import orchestrator_pb2
from orchestrator.admission import check_page_size, check_request
from services.assessor import answer as assessor_answer

SESSION_ID = "0" * 32


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path.as_uri())


def test_the_largest_form_is_accepted_by_the_orchestrator(store: MediaStore) -> None:
    name = display_name("n" * 300 + ".mp4")
    file = ReceivedFile("videos", name, ".mp4", Path("unread"), MAX_MEDIA_BYTES, "0" * 64)
    question = "q" * MAX_QUESTION_CHARACTERS
    fields = (("candidate_name", "N" * 500), *[("questions", question)] * MAX_ANSWER_COUNT)
    submission = read_submission(ReceivedForm((file,) * MAX_ANSWER_COUNT, fields), {}, ("en",))

    answers = [
        orchestrator_pb2.AnswerInput(
            uri=store.uri(f"sessions/{SESSION_ID}/media/{place}.mp4"),
            question=text,
            file_name=received.name,
            digest=received.digest,
            media_bytes=received.size_bytes,
        )
        for place, (text, received) in enumerate(zip(submission.questions, submission.files, strict=True), 1)
    ]
    request = orchestrator_pb2.CreateSessionRequest(
        session_id=SESSION_ID,
        candidate_name=submission.candidate_name,
        language_code=submission.language_code,
        answers=answers,
    )

    check_request(request, store)
    assert len(submission.candidate_name) == len(name) == MAX_NAME_CHARACTERS


def test_the_longest_name_with_links_is_accepted_by_the_orchestrator(store: MediaStore) -> None:
    body = {
        "success": True,
        "data": {"candidate": {"name": "N" * 500}, "reviewChecklists": {"interviews": [{}]}},
    }
    session = read_linked_session(SESSION_ID, json.dumps(body).encode(), ("en",), MAX_ANSWER_COUNT)
    answers = [orchestrator_pb2.AnswerInput(unavailable_reason=session.answers[0].unavailable_reason)]

    check_request(
        orchestrator_pb2.CreateSessionRequest(
            session_id=SESSION_ID, candidate_name=session.candidate_name, answers=answers
        ),
        store,
    )


def test_no_setting_of_the_door_allows_more_than_a_stage_takes_by_default() -> None:
    limits = GatewaySettings.model_fields["max_file_bytes"].metadata
    ceiling = next(limit.le for limit in limits if hasattr(limit, "le"))

    assert ceiling == ServiceSettings.model_fields["max_media_bytes"].default == MAX_MEDIA_BYTES
    assert assessor_answer.MAX_QUESTION_CHARACTERS == MAX_QUESTION_CHARACTERS
    assert check_page_size(MAX_PAGE_SESSION_COUNT) == MAX_PAGE_SESSION_COUNT
