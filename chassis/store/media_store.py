"""`MediaStore`: what callers see of the media store.

`file:///…` on one machine, `s3://…` or any server that speaks it on a cluster. Writes are atomic:
a reader sees the whole object or none.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlparse

import anyio.to_thread
import obstore

from chassis.errors import ForbiddenError, InvalidInputError
from chassis.store.failures import URI_FORBIDDEN, store_errors
from chassis.store.opening import open_store
from chassis.store.parts import PART, SETTLE_S
from chassis.store.reading import Reader
from chassis.store.removing import Remover
from chassis.store.settings import StoreSettings
from chassis.store.writing import Writer

MAX_KEY_BYTES = 1_024
"""S3's limit."""
MAX_NAME_BYTES = 255
"""Limit of the common file systems, for each part of a path."""
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
PAGE_COUNT = 1_000
"""Objects that a listing hands over at once, as many as S3 sends."""


@dataclass(frozen=True)
class StoredObject:
    """One object of the store."""

    key: str
    size_bytes: int
    modified_s: float = 0.0
    """When it was written, by the store's clock, in seconds since 1970-01-01 UTC. It tells two writes apart.
    How long ago that was, it does not tell: the clock is another machine's."""


class MediaStore:
    """Reads and writes objects by key (`sessions/<id>/media/1.mp4`).

    Args:
        url: Where the store lies. Its path is the prefix of every key.
        settings: How an S3 store is reached. None: as the environment says.

    Raises:
        InvalidInputError: The URL or a setting is wrong (`STORE_URL_INVALID`, `STORE_SETTINGS_INVALID`).
    """

    def __init__(self, url: str, settings: StoreSettings | None = None) -> None:
        self._url = url.rstrip("/")
        self._opened = open_store(url, settings)
        self._local_root = self._opened.local_root
        self._objects = self._opened.objects
        self._reader = Reader(self._opened)
        self._writer = Writer(self._opened)
        self._remover = Remover(self._opened)
        self._bucket_seen = self._local_root is not None

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
        """Write a file's bytes. Failed or cancelled, it leaves nothing."""
        await self._writer.put_file(key, path)

    async def put_blocks(self, key: str, blocks: AsyncIterator[bytes]) -> int:
        """Write blocks as they come, a few parts in memory. Failed or cancelled, it leaves nothing.

        Returns:
            How many bytes it were.
        """
        return await self._writer.put_blocks(key, blocks)

    async def put_bytes(self, key: str, data: bytes) -> None:
        """Write bytes, over what there was."""
        await self._writer.put_bytes(key, data)

    async def put_bytes_once(self, key: str, data: bytes) -> bool:
        """Write bytes where there is no object yet. Of several writers at once, one wins.

        Returns:
            Whether the object holds this data now. False: it holds other data, which stays.
        """
        return await self._writer.put_once(key, data)

    async def get_bytes(self, key: str) -> bytes:
        """Read an object whole.

        Raises:
            NotFoundError: There is none (`OBJECT_NOT_FOUND`).
        """
        return await self._reader.whole(key)

    async def get_file(self, key: str, path: Path, *, max_bytes: int | None = None) -> None:
        """Copy an object into a local file.

        Raises:
            NotFoundError: There is none (`OBJECT_NOT_FOUND`).
            InvalidInputError: It has more than `max_bytes` (`MEDIA_TOO_LARGE`).
            UnavailableError: Another object took its place meanwhile (`OBJECT_CHANGED`).
        """
        with store_errors():
            found = await obstore.head_async(self._objects, key)
        if max_bytes is not None and found["size"] > max_bytes:
            raise InvalidInputError(
                f"The recording has more than {max_bytes:,} bytes. Send a smaller one.",
                reason="MEDIA_TOO_LARGE",
            )
        with path.open("wb") as out:
            async with aclosing(self._reader.blocks(key, 0, found["size"], found["e_tag"])) as blocks:
                async for block in blocks:
                    await anyio.to_thread.run_sync(out.write, block)

    def read_range(self, key: str, start_bytes: int, end_bytes: int) -> AsyncIterator[bytes]:
        """Yield the bytes from `start_bytes` up to `end_bytes` (exclusive) in blocks of about 1 MiB.

        All are of one version of the object, or it ends with `OBJECT_CHANGED`.
        """
        return self._reader.blocks(key, start_bytes, end_bytes)

    async def signed_url(self, key: str, expires_s: float) -> str | None:
        """Return an address at which a client reads the object without credentials, for a while.

        Args:
            key: The object. Whether the client may read it is the caller's to check.
            expires_s: How long the address works.

        Returns:
            The address. None where the store can't give one: it is a folder.
        """
        if self._opened.signing is None:
            return None
        with store_errors():
            return str(
                await obstore.sign_async(self._opened.signing, "GET", key, timedelta(seconds=expires_s))
            )

    @property
    def signed_origin(self) -> str | None:
        """Scheme and host of signed addresses, for a page's content policy. None where there are none."""
        return self._opened.signed_origin

    async def size_bytes(self, key: str) -> int | None:
        """Return an object's size, or None where there is none.

        Raises:
            UnavailableError: Also where the bucket itself is missing: that says nothing about the object.
        """
        with store_errors():
            try:
                return int((await obstore.head_async(self._objects, key))["size"])
            except FileNotFoundError:  # An answer like any other here, and no error.
                pass
        await self._check_bucket()
        return None

    async def _check_bucket(self) -> None:
        if not self._bucket_seen:
            with store_errors():
                await anext(obstore.list(self._objects, "ready", chunk_size=1), None)
            self._bucket_seen = True

    async def exists(self, key: str) -> bool:
        """Tell whether there is an object."""
        return await self.size_bytes(key) is not None

    async def list(self, prefix: str) -> list[StoredObject]:
        """List the objects under a prefix (a folder, without its trailing slash)."""
        found = []
        with store_errors():
            async for batch in obstore.list(self._objects, prefix, chunk_size=PAGE_COUNT):
                found += [
                    StoredObject(item["path"], item["size"], item["last_modified"].timestamp())
                    for item in batch
                ]
        return found

    async def delete(self, key: str) -> None:
        """Delete an object. Nothing happens where there is none."""
        await self._remover.remove(key)

    async def delete_prefix(self, prefix: str) -> None:
        """Delete every object under a prefix, and in a folder the parts that writers left there."""
        await self._remover.remove_all([item.key for item in await self.list(prefix)])
        await self._remover.remove_parts(prefix, older_than_s=0.0, settle_s=0.0)

    async def sweep_parts(self, older_than_s: float, settle_s: float = SETTLE_S) -> int:
        """Remove what killed writers left in a folder. On S3 the bucket's lifecycle rule does it.

        Args:
            older_than_s: Since when nobody must have written to it.
            settle_s: How long it is watched, before it goes, for a change after all.

        Returns:
            How many parts were removed.
        """
        return await self._remover.remove_parts("", older_than_s, settle_s)


def _names_an_object(key: str) -> bool:
    """Whether a store could hold this key. Asked for another one, it fails as if it could not be reached."""
    names = key.split("/")
    return (
        CONTROL_CHARACTER.search(key) is None
        and len(key.encode()) <= MAX_KEY_BYTES
        and PART.search(names[-1]) is None
        and all(name not in ("", ".", "..") and len(name.encode()) <= MAX_NAME_BYTES for name in names)
    )
