"""Turns what the store's library raises into errors of ours, without an address, a key or a credential.

The library's own messages quote requests and answers, which name access keys. So they are dropped: neither a
client nor the log sees more than our sentence and the kind of failure.
"""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import obstore.exceptions

from chassis.errors import ForbiddenError, InterviewError, NotFoundError, PreconditionError, UnavailableError

logger = logging.getLogger(__name__)

URI_FORBIDDEN = (
    "The recording's URI lies outside the configured store. Upload it, or ask for its prefix to be allowed."
)
RETRY_AFTER_S = 5.0
_HTTP_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,60})</Code>")
_NO_SPACE = re.compile(rf"os error ({errno.ENOSPC}|{errno.EDQUOT})\b")
_REFUSED_CODES = {
    "AccessDenied",
    "NoSuchBucket",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
_REFUSALS = (
    PermissionError,
    obstore.exceptions.PermissionDeniedError,
    obstore.exceptions.UnauthenticatedError,
)


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn the store's exceptions into ours.

    Raises:
        ForbiddenError: No object can have this key (`MEDIA_URI_FORBIDDEN`).
        NotFoundError: There is no such object (`OBJECT_NOT_FOUND`).
        PreconditionError: There is one already, and none was to be there (`OBJECT_EXISTS`).
        UnavailableError: Anything else (`STORE_UNAVAILABLE`, `STORE_FULL`, `STORE_REFUSED`,
            `OBJECT_CHANGED`).
    """
    try:
        yield
    except ValueError as error:
        if "path" not in str(error):
            raise
        raise ForbiddenError(URI_FORBIDDEN, reason="MEDIA_URI_FORBIDDEN") from None
    except (obstore.exceptions.BaseError, OSError) as error:
        raise _ours(error) from None


def is_bucket_missing(error: BaseException) -> bool:
    """Tell whether a "not found" of the library means the bucket itself."""
    return "NoSuchBucket" in str(error)


def unavailable() -> UnavailableError:
    """Return the error of a store that does not answer, or not as it should."""
    return _failed("The media store can't be reached. Try again later.", reason="STORE_UNAVAILABLE")


def changed() -> UnavailableError:
    """Return the error of an object that another one took the place of."""
    return _failed("The object was replaced while it was read. Try again.", reason="OBJECT_CHANGED")


def _failed(message: str, *, reason: str) -> UnavailableError:
    return UnavailableError(message, reason=reason, retry_after_s=RETRY_AFTER_S)


def _ours(error: BaseException) -> InterviewError:
    text = str(error)
    if isinstance(error, FileNotFoundError) and not is_bucket_missing(error):
        return NotFoundError("There is no such object in the store.", reason="OBJECT_NOT_FOUND")
    if isinstance(error, obstore.exceptions.AlreadyExistsError):
        return PreconditionError("The object exists already. Nothing was written.", reason="OBJECT_EXISTS")
    if isinstance(error, obstore.exceptions.PreconditionError):
        return changed()
    code = _CODE.search(text)
    status = _HTTP_STATUS.search(text)
    logger.warning(
        "The media store failed",
        extra={
            "failure": type(error).__name__,
            "http_status": status[1] if status else None,
            "store_code": code[1] if code else None,
        },
    )
    if _NO_SPACE.search(text) or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        return _failed("The media store is full. Free some space, or enlarge it.", reason="STORE_FULL")
    if isinstance(error, _REFUSALS) or (code and code[1] in _REFUSED_CODES):
        return _failed(
            "The media store refuses us. The operator has to correct its bucket, credentials or permissions.",
            reason="STORE_REFUSED",
        )
    return unavailable()
