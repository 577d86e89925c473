"""The media store: recordings, extracted sound, stage outputs and results under one URL.

`file:///…` on one machine, `s3://…` or any server that speaks it on a cluster. Writes are atomic:
a reader sees the whole object or none.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import obstore
from obstore.store import LocalStore, from_url

from chassis.errors import ForbiddenError, InvalidInputError, NotFoundError, UnavailableError

COPY_BLOCK_BYTES = 1 << 20
MAX_KEY_BYTES = 1_024
"""S3's limit."""
MAX_NAME_BYTES = 255
"""Limit of the common file systems, for each part of a path."""
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
URI_FORBIDDEN = (
    "The recording's URI lies outside the configured store. Upload it, or ask for its prefix to be allowed."
)


@dataclass(frozen=True)
class StoredObject:
    """One object of the store."""

    key: str
    size_bytes: int


class MediaStore:
    """Reads and writes objects by key (`sessions/<id>/media/1.mp4`).

    Args:
        url: Where the store lies. Its path is the prefix of every key.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        parts = urlparse(url)
        if parts.scheme == "file":
            root = Path(unquote(parts.path))
            root.mkdir(parents=True, exist_ok=True)
            self._local_root: Path | None = root.resolve()
            self._objects: Any = LocalStore(str(self._local_root), automatic_cleanup=True)
        elif parts.scheme in ("s3", "gs", "az"):
            self._local_root = None
            self._objects = from_url(url)
        else:
            raise InvalidInputError(
                f"'{parts.scheme}' is not a kind of store. Use file:///… or s3://….",
                reason="STORE_URL_INVALID",
            )

    def uri(self, key: str) -> str:
        """Return the URI of a key, as it is sent to the stages."""
        if self._local_root is not None:
            return (self._local_root / key).as_uri()
        return f"{self._url}/{key}"

    def key(self, uri: str) -> str:
        """Return the key of a URI.

        Raises:
            ForbiddenError: The URI lies outside this store (`MEDIA_URI_FORBIDDEN`).
        """
        key = self._key_below_root(uri)
        if key is None or not _names_an_object(key):
            raise ForbiddenError(URI_FORBIDDEN, reason="MEDIA_URI_FORBIDDEN")
        return key

    def _key_below_root(self, uri: str) -> str | None:
        if self._local_root is None:
            return uri.removeprefix(self._url + "/") if uri.startswith(self._url + "/") else None
        if not uri.startswith("file://"):
            return None
        try:
            path = Path(unquote(urlparse(uri).path)).resolve()
        except ValueError:  # A host in open brackets, a zero byte: no path at all.
            return None
        return (
            path.relative_to(self._local_root).as_posix() if path.is_relative_to(self._local_root) else None
        )

    def local_path(self, key: str) -> Path | None:
        """Return the file behind a key where the store is a folder of this machine, else None."""
        return self._local_root / key if self._local_root is not None else None

    async def put_file(self, key: str, path: Path) -> None:
        """Write a file's bytes."""
        with _store_errors():
            await obstore.put_async(self._objects, key, path)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Write bytes."""
        with _store_errors():
            await obstore.put_async(self._objects, key, data)

    async def put_bytes_once(self, key: str, data: bytes) -> bool:
        """Write bytes where there is no object yet. Of several writers at once, one wins.

        Returns:
            Whether this one wrote.
        """
        with _store_errors():
            try:
                await obstore.put_async(self._objects, key, data, mode="create", use_multipart=False)
            except (obstore.exceptions.AlreadyExistsError, FileExistsError):
                return False
            return True

    async def get_bytes(self, key: str) -> bytes:
        """Read an object whole.

        Raises:
            NotFoundError: There is none (`OBJECT_NOT_FOUND`).
        """
        with _store_errors():
            reply = await obstore.get_async(self._objects, key)
            return bytes(await reply.bytes_async())

    async def get_file(self, key: str, path: Path, *, max_bytes: int | None = None) -> None:
        """Copy an object into a local file.

        Raises:
            NotFoundError: There is none (`OBJECT_NOT_FOUND`).
            InvalidInputError: It has more than `max_bytes` (`MEDIA_TOO_LARGE`).
        """
        with _store_errors():
            reply = await obstore.get_async(self._objects, key)
            if max_bytes is not None and reply.meta["size"] > max_bytes:
                raise InvalidInputError(
                    f"The recording has more than {max_bytes:,} bytes. Send a smaller one.",
                    reason="MEDIA_TOO_LARGE",
                )
            with path.open("wb") as out:
                async for block in reply.stream(min_chunk_size=COPY_BLOCK_BYTES):
                    out.write(block)

    async def read_range(self, key: str, start_bytes: int, end_bytes: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start_bytes` up to `end_bytes` (exclusive) in blocks of up to 1 MiB."""
        position = start_bytes
        while position < end_bytes:
            with _store_errors():
                block_end = min(position + COPY_BLOCK_BYTES, end_bytes)
                yield bytes(await obstore.get_range_async(self._objects, key, start=position, end=block_end))
            position = block_end

    async def size_bytes(self, key: str) -> int | None:
        """Return an object's size, or None where there is none."""
        with _store_errors():
            try:
                return int((await obstore.head_async(self._objects, key))["size"])
            except FileNotFoundError:  # An answer like any other here, and no error.
                return None

    async def exists(self, key: str) -> bool:
        """Tell whether there is an object."""
        return await self.size_bytes(key) is not None

    async def list(self, prefix: str) -> list[StoredObject]:
        """List the objects under a prefix (a folder, without its trailing slash)."""
        found = []
        with _store_errors():
            async for batch in obstore.list(self._objects, prefix):
                found += [StoredObject(item["path"], item["size"]) for item in batch]
        return found

    async def delete(self, key: str) -> None:
        """Delete an object. Nothing happens where there is none."""
        try:
            with _store_errors():
                await obstore.delete_async(self._objects, key)
        except NotFoundError:
            return

    async def delete_prefix(self, prefix: str) -> None:
        """Delete every object under a prefix."""
        for item in await self.list(prefix):
            await self.delete(item.key)


def _names_an_object(key: str) -> bool:
    """Whether a store could hold this key. Asked for another one, it fails as if it could not be reached."""
    names = key.split("/")
    return (
        CONTROL_CHARACTER.search(key) is None
        and len(key.encode()) <= MAX_KEY_BYTES
        and all(name not in ("", ".", "..") and len(name.encode()) <= MAX_NAME_BYTES for name in names)
    )


class _store_errors:  # noqa: N801 - reads as a statement
    """Turns the store's exceptions into ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise NotFoundError("There is no such object in the store.", reason="OBJECT_NOT_FOUND") from error
        if isinstance(error, obstore.exceptions.BaseError | OSError):
            raise UnavailableError(
                "The media store can't be reached. Try again later.", reason="STORE_UNAVAILABLE"
            ) from error
