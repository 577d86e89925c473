"""`GET /media/{session_id}/{position}`: recordings for the player, with byte ranges (RFC 9110 §14)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse, StreamingResponse

from chassis.containers import MEDIA_TYPES
from chassis.errors import NotFoundError
from chassis.store import StoredObject
from gateway.dependencies import Gateway, GatewayDep, Reading, SessionId
from gateway.reasons import OF_A_SESSION, OF_THE_STORE, error_answers
from gateway.uploads.submission import media_prefix

router = APIRouter(tags=["Sessions"])

_RECORDING = {
    media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in MEDIA_TYPES.values()
}
MEDIA_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The recording.", "content": _RECORDING},
    206: {"description": "The range of it that the header `Range` asks for.", "content": _RECORDING},
    307: {
        "description": "The recording lies at the address in `Location`, for a while. Only where the operator"
        " has chosen that (`GATEWAY_MEDIA_DELIVERY`)."
    },
    416: {"description": "The range lies outside the recording."},
}

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class ByteRange:
    """Bytes from `start` up to `end`, exclusive."""

    start: int
    end: int


class UnsatisfiableRangeError(Exception):
    """The range lies outside the recording."""


def parse_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """Read a `Range` header.

    Args:
        header: The header, or None.
        size_bytes: The recording's size.

    Returns:
        The range. None where the whole is to be sent, which a header of another unit, of several
        ranges or of nonsense means as well.

    Raises:
        UnsatisfiableRangeError: It lies outside the recording.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:  # the last so many bytes
        begin, end = max(0, size_bytes - int(last)), size_bytes
    else:
        begin, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < int(first):
            return None
    if begin >= end:
        raise UnsatisfiableRangeError
    return ByteRange(begin, end)


@router.get(
    "/media/{session_id}/{position}",
    response_model=None,
    response_class=Response,
    responses=MEDIA_ANSWERS
    | error_answers(
        *OF_A_SESSION,
        "MEDIA_NOT_FOUND",
        "OBJECT_NOT_FOUND",
        "OBJECT_CHANGED",
        "REQUEST_INVALID",
        *OF_THE_STORE,
    ),
)
@router.head("/media/{session_id}/{position}", response_model=None, include_in_schema=False)
async def media(
    request: Request, session_id: SessionId, position: int, gateway: GatewayDep, _: Reading
) -> Response:
    """Return a recording, or a range of it."""
    # Recordings are shown to whom their session is. What lies there without a session is nobody's.
    await gateway.orchestrator.get_session(session_id)
    recording = await _find(gateway, session_id, position)
    # An address is signed for one method, and players read. A question about the recording is answered here.
    address = await _signed(gateway, recording.key) if request.method == "GET" else None
    if address is not None:
        gateway.audit.media_read(session_id, position)
        # Not kept longer than it works, and by nobody else.
        return RedirectResponse(address, 307, {"Cache-Control": "no-store"})
    size_bytes = recording.size_bytes
    try:
        part = parse_range(request.headers.get("range"), size_bytes)
    except UnsatisfiableRangeError:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size_bytes}"})
    wanted = part or ByteRange(0, size_bytes)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(wanted.end - wanted.start),
        # No cache may keep it: a browser would play on what was deleted, and would have it on its disk.
        "Cache-Control": "no-store",
    }
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size_bytes}"
    suffix = PurePosixPath(recording.key).suffix
    # Who saves it gets a name of ours: the candidate's own stays in the result document.
    headers["Content-Disposition"] = f'inline; filename="answer-{position}{suffix}"'
    media_type = MEDIA_TYPES[suffix]
    if request.method == "HEAD":
        return Response(status_code=206 if part else 200, headers=headers, media_type=media_type)
    blocks = gateway.store.read_range(recording.key, wanted.start, wanted.end)
    # Before the answer begins: a store that can't be read is still an answer 503, and not a body cut short.
    first = await anext(blocks, b"")
    gateway.audit.media_read(session_id, position)
    return StreamingResponse(_after(first, blocks), 206 if part else 200, headers, media_type)


async def _after(first: bytes, blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for block in blocks:
        yield block


async def _signed(gateway: Gateway, key: str) -> str | None:
    if gateway.settings.media_delivery != "redirect":
        return None
    return await gateway.store.signed_url(key, gateway.settings.media_url_expires_s)


async def _find(gateway: Gateway, session_id: str, position: int) -> StoredObject:
    for item in await gateway.store.list(media_prefix(session_id)):
        path = PurePosixPath(item.key)
        if path.stem == str(position) and path.suffix in MEDIA_TYPES:
            return item
    raise NotFoundError(
        "There is no such recording. It may have been deleted. Look at the session's status.",
        reason="MEDIA_NOT_FOUND",
    )
