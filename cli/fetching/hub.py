"""Downloads one file from the model hub: goes on where it stopped, and notices that the file has changed."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from chassis.models import CatalogueEntry, ModelFile

HUB_TIMEOUT_S = 30.0
HUB_CONNECT_TIMEOUT_S = 4.0
"""Short, so that a site without the hub goes on to the Python index at once."""
FRUITLESS_ATTEMPT_COUNT = 4
"""Attempts in a row that bring no byte. One that brings some counts as a first one again."""
PAUSE_S = 1.0
HTTP_RANGE_NOT_SATISFIABLE = 416
HTTP_NOT_FOUND = 404
HTTP_SERVER_ERROR = 500
HTTP_TOO_MANY_REQUESTS = 429


class OtherFileError(ValueError):
    """The hub has another file, or another revision, than the one that is asked for."""


class _PassingError(OSError):
    """Another attempt may succeed."""


def etag_path(partial: Path) -> Path:
    """Where the ETag of a download that has begun is kept."""
    return partial.with_name(partial.name + ".etag")


def download(
    entry: CatalogueEntry,
    file: ModelFile,
    partial: Path,
    report: Callable[[int], None],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Bring a file of the hub into `partial`. What is there already is kept if it is of the same file.

    Raises:
        OSError: The hub can't be reached, or refuses.
        OtherFileError: It answers with another revision than the catalogue pins.
    """
    fruitless = 0
    while True:
        before_bytes = _size(partial)
        try:
            _attempt(entry, file, partial, report)
        except _PassingError:
            fruitless = 0 if _size(partial) > before_bytes else fruitless + 1
            if fruitless >= FRUITLESS_ATTEMPT_COUNT:
                raise
            pause(PAUSE_S * 2**fruitless * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
            continue
        etag_path(partial).unlink(missing_ok=True)
        return


def _attempt(entry: CatalogueEntry, file: ModelFile, partial: Path, report: Callable[[int], None]) -> None:
    # Imported here: only the command-line client has them, since services never fetch.
    import httpx
    from huggingface_hub import hf_hub_url

    endpoint = os.environ.get("HF_ENDPOINT") or None
    url = hf_hub_url(
        entry.hub_repo, file.hub_path or file.name, revision=entry.hub_revision or None, endpoint=endpoint
    )
    start_bytes, etag = _size(partial), _kept_etag(partial)
    if start_bytes and not etag:  # Nobody knows of which file this is the beginning.
        partial.unlink()
        start_bytes = 0
    headers = {"Accept-Encoding": "identity"}
    if start_bytes:
        headers |= {"Range": f"bytes={start_bytes}-", "If-Range": etag}
    if token := os.environ.get("HF_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    timeout = httpx.Timeout(HUB_TIMEOUT_S, connect=HUB_CONNECT_TIMEOUT_S)
    try:
        with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=timeout) as reply:
            _check_revision(entry, [*reply.history, reply])
            if reply.status_code == HTTP_RANGE_NOT_SATISFIABLE and start_bytes:
                _check_complete(reply, partial)
                return
            reply.raise_for_status()
            _take(reply, partial, start_bytes, report)
    except httpx.ConnectError as error:  # Nobody is there: the next source is asked at once.
        raise OSError(type(error).__name__) from error
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        passing = status >= HTTP_SERVER_ERROR or status == HTTP_TOO_MANY_REQUESTS
        raise (_PassingError if passing else OSError)(f"status {status}") from error
    except httpx.HTTPError as error:
        raise _PassingError(type(error).__name__) from error


def _take(reply: object, partial: Path, start_bytes: int, report: Callable[[int], None]) -> None:
    import httpx

    assert isinstance(reply, httpx.Response)  # noqa: S101  # the package is imported here only
    goes_on = start_bytes > 0 and reply.status_code == httpx.codes.PARTIAL_CONTENT
    if goes_on and not reply.headers.get("Content-Range", "").startswith(f"bytes {start_bytes}-"):
        partial.unlink()
        raise _PassingError("the hub went on at another place")
    # With 200 the hub says that the file is another one now, or that it can't go on.
    with partial.open("ab" if goes_on else "wb") as out:
        if not goes_on:
            _keep_etag(partial, reply.headers.get("ETag", ""))
        for block in reply.iter_raw():
            out.write(block)
            report(out.tell())


def _check_complete(reply: object, partial: Path) -> None:
    """After a 416: there is nothing behind what we have. All of it is there, or it is of another file."""
    total = getattr(reply, "headers", {}).get("Content-Range", "").rpartition("/")[2]
    if total != str(_size(partial)):
        partial.unlink()
        raise _PassingError("what was there is not of this file")


def _check_revision(entry: CatalogueEntry, replies: Iterable[object]) -> None:
    for reply in replies:
        commit = getattr(reply, "headers", {}).get("X-Repo-Commit", "")
        if commit and entry.hub_revision and commit != entry.hub_revision:
            raise OtherFileError(
                f"the hub answers with revision {commit[:12]}, not {entry.hub_revision[:12]}"
            )


def _keep_etag(partial: Path, etag: str) -> None:
    # A weak one does not say that the bytes are the same, so that nothing may go on by it (RFC 9110, 13.1.5).
    if etag and not etag.startswith("W/"):
        etag_path(partial).write_text(etag, encoding="utf-8")
    else:
        etag_path(partial).unlink(missing_ok=True)


def _kept_etag(partial: Path) -> str:
    kept = etag_path(partial)
    return kept.read_text(encoding="utf-8") if kept.exists() else ""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
