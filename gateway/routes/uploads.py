"""`POST /upload` and `POST /upload_json`: how sessions come in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from prometheus_client import Counter

from chassis.errors import InvalidInputError
from chassis.telemetry import session_id as session_id_var
from gateway.callers import Client
from gateway.capabilities import check_language, check_rubrics
from gateway.dependencies import Gateway, GatewayDep, Submitting
from gateway.quotas import Share
from gateway.reasons import OF_A_FORM, OF_AN_UPLOAD, error_answers
from gateway.request_schemas import LINKS_BODY, UPLOAD_BODY, read_body
from gateway.schemas import LinksAnswer, UploadAnswer
from gateway.uploads.early import OnFile, on_no_file
from gateway.uploads.forms import (
    ORIGINAL_FIELD,
    ReceivedForm,
    Spool,
    Submission,
    read_language,
    read_submission,
)
from gateway.uploads.links import read_linked_session
from gateway.uploads.multipart import receive_form
from gateway.uploads.submission import create_session, new_session_id

router = APIRouter(tags=["Upload"])

MAX_LINKS_BODY_BYTES = 1_048_576
"""A list of links and questions has a few KB."""

RECEIVED_BYTES = Counter(
    "interview_gateway_received_bytes_total", "Bytes of recordings that clients uploaded."
)
SUBMITTED = Counter("interview_gateway_sessions_total", "Sessions accepted.", ["source"])
for _source in ("upload", "links"):
    SUBMITTED.labels(_source)  # From 0 on: Prometheus would take the first value for the beginning.

IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=255,
        description="The same upload with the same key again returns the same session instead of a second"
        " one. Another upload needs another key.",
    ),
]


@router.post("/upload", openapi_extra=UPLOAD_BODY, responses=error_answers(*OF_AN_UPLOAD, *OF_A_FORM))
async def upload(
    request: Request,
    response: Response,
    gateway: GatewayDep,
    client: Submitting,
    idempotency_key: IdempotencyKey = None,
) -> UploadAnswer:
    """Accept recordings and their questions. Answers once both are durable."""
    answer = await _accept(request, gateway, client, idempotency_key)
    if client.address:
        gateway.browsers.keep_visit(request, response, answer.session_id)
    return answer


async def _accept(
    request: Request, gateway: Gateway, client: Client, idempotency_key: str | None
) -> UploadAnswer:
    submitter = gateway.submitter
    session_id = await submitter.session_id(client, idempotency_key) if idempotency_key else new_session_id()
    session_id_var.set(session_id)
    with submitter.only_one(session_id):
        session = await submitter.existing(session_id) if idempotency_key else None
        is_whole = session is not None and not await submitter.lacks_media(session)
        if not is_whole:
            await gateway.capabilities.check_room()
        _check_length(request, gateway.upload_limits.max_total_bytes)
        with gateway.upload_places.taken(client):
            if is_whole:
                async with _received(request, gateway) as (_, submission):
                    await submitter.check_same(session_id, submission)
                return _upload_answer(session_id, len(submission.files), submission.warnings)
            async with gateway.quotas.share(client, _length(request)) as share:
                return await _receive(request, gateway, session_id, share, is_repeat=session is not None)


async def _receive(
    request: Request, gateway: Gateway, session_id: str, share: Share, *, is_repeat: bool
) -> UploadAnswer:
    async with (
        gateway.early_copies.of(session_id) as on_file,
        _received(request, gateway, on_no_file if is_repeat else on_file) as (form, submission),
    ):
        if is_repeat:
            await gateway.submitter.check_same(session_id, submission)
        await gateway.submitter.submit(session_id, submission)
    share.media_bytes = sum(file.size_bytes for file in form.files)
    RECEIVED_BYTES.inc(share.media_bytes)
    SUBMITTED.labels("upload").inc()
    return _upload_answer(session_id, len(form.files), submission.warnings)


@asynccontextmanager
async def _received(
    request: Request, gateway: Gateway, on_file: OnFile = on_no_file
) -> AsyncIterator[tuple[ReceivedForm, Submission]]:
    offered = await gateway.capabilities.current()

    def check_field(name: str, value: str) -> None:
        if name == "language" and value:
            check_language(value, offered.language_codes)
        elif name in ("rubric", "rubrics"):
            check_rubrics((value.strip(),), offered.rubric_ids)

    def on_spool(spool: Spool, number: int, fields: Sequence[tuple[str, str]]) -> None:
        is_original = spool.field == ORIGINAL_FIELD
        # A field that comes behind the file may still name another one.
        with suppress(InvalidInputError):
            code = read_language(fields, request.query_params, is_original, offered.language_codes)
            on_file(spool, number, code)

    for name, value in request.query_params.items():
        check_field(name, value)
    content_type, limits = request.headers.get("content-type", ""), gateway.upload_limits
    spool_dir = gateway.settings.spool_dir
    async with receive_form(content_type, request.stream(), limits, spool_dir, check_field, on_spool) as form:
        yield form, read_submission(form, request.query_params, offered.language_codes)


def _check_length(request: Request, max_bytes: int) -> None:
    """Refuse what says by itself that it is too large, before a byte of it is read."""
    if _length(request) > max_bytes:
        raise InvalidInputError(
            f"Upload too large. Max: {max_bytes / 1_000_000:g} MB in all. Send fewer or smaller videos.",
            reason="UPLOAD_TOO_LARGE",
        )


def _length(request: Request) -> int:
    length = request.headers.get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _upload_answer(session_id: str, video_count: int, warnings: Sequence[str] = ()) -> UploadAnswer:
    return UploadAnswer(
        session_id=session_id,
        job_id=session_id,
        status="queued",
        uploaded_videos=video_count,
        message="Videos uploaded successfully. Processing started.",
        warnings=list(warnings),
        status_url=f"/status/{session_id}",
        results_url=f"/results/{session_id}",
    )


@router.post(
    "/upload_json",
    openapi_extra=LINKS_BODY,
    responses=error_answers("BODY_INVALID", "JSON_INVALID", *OF_AN_UPLOAD),
)
async def upload_json(
    request: Request, response: Response, gateway: GatewayDep, client: Submitting
) -> LinksAnswer:
    """Accept links to recordings (Google Drive share links, direct links) and fetch them afterwards."""
    session_id = new_session_id()
    session_id_var.set(session_id)
    await gateway.capabilities.check_room()
    body = await read_body(request, MAX_LINKS_BODY_BYTES)
    settings = gateway.settings
    offered = await gateway.capabilities.current()
    session = read_linked_session(session_id, body, offered.language_codes, settings.max_file_count)
    check_rubrics((session.rubric_id, *(answer.rubric_id for answer in session.answers)), offered.rubric_ids)
    async with gateway.quotas.share(client):
        await create_session(gateway.orchestrator, session)
    SUBMITTED.labels("links").inc()
    if client.address:
        gateway.browsers.keep_visit(request, response, session_id)
    return LinksAnswer(
        session_id=session_id,
        message="JSON received. Downloading videos from Google Drive...",
        video_count=len(session.answers),
    )
