"""What can go wrong with a link, in words for its sender. Nothing of the link's text is in them."""

from __future__ import annotations

import httpx

from chassis.errors import (
    DeadlineError,
    ExhaustedError,
    ForbiddenError,
    InterviewError,
    InvalidInputError,
    UnavailableError,
)

MAX_RETRY_AFTER_S = 600.0
"""A server that asks for a longer pause is not waited for."""
USUAL_PAUSE_S = 5.0
"""Where a server asks for a pause and does not say how long."""


def check_reply(response: httpx.Response) -> None:
    """Check that a reply brings a file.

    Raises:
        InterviewError: It does not. The class says whether another attempt may help.
    """
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        check_encoding(response)
        return
    pause_s = _pause_s(response.headers.get("retry-after", ""))
    if status == httpx.codes.TOO_MANY_REQUESTS or (
        status == httpx.codes.SERVICE_UNAVAILABLE and pause_s is not None
    ):
        raise ExhaustedError(
            "The link's server asks for a pause. Retry the session later.",
            reason="DOWNLOAD_FAILED",
            retry_after_s=pause_s if pause_s is not None else USUAL_PAUSE_S,
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
        raise away(f"answered {status}")
    raise ForbiddenError(
        f"The recording could not be downloaded. The link's server answered {status}."
        " Check that the link is right and shared with everyone.",
        reason="DOWNLOAD_REFUSED",
    )


def check_encoding(response: httpx.Response) -> None:
    """Refuse what is to be unpacked: a few bytes can become any number, and a recording is packed already."""
    encodings = response.headers.get("content-encoding", "").lower().replace(",", " ").split()
    if any(encoding != "identity" for encoding in encodings):
        raise InvalidInputError(
            "The link's server sends the file compressed, although it was asked not to. Use another link, or "
            "upload the file.",
            reason="DOWNLOAD_COMPRESSED",
        )


def _pause_s(retry_after: str) -> float | None:
    """Read Retry-After in seconds. A date, a longer pause than we wait, or nothing is None."""
    pause_s = float(retry_after) if retry_after.isdecimal() else None
    return pause_s if pause_s is not None and pause_s <= MAX_RETRY_AFTER_S else None


def away(what: str) -> InterviewError:
    """Return the error of a server that can't be used right now."""
    return UnavailableError(
        f"The recording could not be downloaded. The link's server {what}. Retry the session later.",
        reason="DOWNLOAD_FAILED",
    )


def too_slow(why: str) -> InterviewError:
    """Return the error of a server that would hold its place for too long. It is not asked again at once."""
    return DeadlineError(
        f"The link's server is too slow. {why} Retry the session later, or upload the file.",
        reason="DOWNLOAD_TOO_SLOW",
    )


def too_large(max_bytes: int) -> InterviewError:
    """Return the error of a file that is too large."""
    return InvalidInputError(
        f"File too large. Max: {max_bytes / 1_000_000:g} MB. Export it smaller.", reason="FILE_TOO_LARGE"
    )


def not_a_video() -> InterviewError:
    """Return the error of a link to something else."""
    return InvalidInputError(
        "The link does not lead to a video. Check that it is shared with everyone.", reason="NOT_A_VIDEO"
    )
