"""What a caller is told where a recording can't be decoded, or a child that decodes it dies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chassis.errors import InvalidInputError

MAX_MESSAGE_CHARACTERS = 500
_REASON = re.compile(r"MEDIA_[A-Z_]{1,40}")


def refusal(values: Mapping[str, Any]) -> InvalidInputError:
    """Return the error that a child tells. It reads hostile files: nothing else is believed."""
    reason, message = str(values["error"]), str(values.get("message", ""))
    if not _REASON.fullmatch(reason):
        return failed()
    return InvalidInputError(message[:MAX_MESSAGE_CHARACTERS], reason=reason)


@contextmanager
def told_right() -> Iterator[None]:
    """Take nonsense that a child says for its failure.

    Raises:
        InvalidInputError: It is (`MEDIA_DECODER_FAILED`).
    """
    try:
        yield
    except (ValueError, TypeError, KeyError, OverflowError, StopIteration):
        raise failed() from None


def too_complex() -> InvalidInputError:
    """Return the error for a recording that ran into a limit."""
    return InvalidInputError(
        "Decoding the recording takes more time or memory than is allowed. Send a plainer file.",
        reason="MEDIA_TOO_COMPLEX",
    )


def failed() -> InvalidInputError:
    """Return the error for a decoder that died, or that says what can't be."""
    return InvalidInputError(
        "The decoder failed on this recording. Export it again as MP4 (H.264 and AAC) and send that.",
        reason="MEDIA_DECODER_FAILED",
    )
