"""The keys that the gateway knows: those of the settings, and those of the file, which may change."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from chassis.api_keys import KeyBook, KeyHolder, Scope
from chassis.errors import InvalidInputError
from chassis.key_file import read_key_book
from gateway.settings import ApiKey

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownKey:
    """One key that may be presented, by its SHA-256."""

    name: str
    group: str
    scopes: tuple[Scope, ...]
    sha256: str = field(repr=False)
    expires: tuple[datetime, ...]
    """It ends with the first of them."""
    made_by_us: bool = False
    """Whether it is random. A key in the settings may be a word that somebody chose."""
    upload_rate: str = ""
    byte_rate: str = ""

    def valid_at(self, now: datetime) -> bool:
        """Tell whether it has not ended."""
        return all(now < end for end in self.expires)


class KeySource:
    """All keys at this moment.

    The file is looked at when a key is asked for, at most every `interval_s`. So a key that is revoked ends
    everywhere within that time. A file that is gone holds no keys. One that can't be read changes nothing.

    Args:
        configured: Keys of the settings.
        file: The file of keys. None where there is none.
        interval_s: How old what is known of the file may be.
        clock: Seconds that only go forward.
        on_book: Is told what the file held before (None at first) and what it holds now.
    """

    def __init__(
        self,
        configured: Sequence[ApiKey],
        file: Path | None = None,
        interval_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        on_book: Callable[[KeyBook | None, KeyBook], None] = lambda _before, _now: None,
    ) -> None:
        self._configured = tuple(_of_settings(key) for key in configured)
        self._file = file
        self._interval_s = interval_s
        self._clock = clock
        self._on_book = on_book
        self._book: KeyBook | None = None
        self._kept: tuple[KnownKey, ...] = ()
        self._seen: tuple[int, ...] | None = None
        self._looked_at_s: float | None = None

    @property
    def none_needed(self) -> bool:
        """Whether nobody is asked for a key. A file that is named and empty lets nobody in."""
        return self._file is None and not self._configured

    def known(self) -> tuple[KnownKey, ...]:
        """Return them all, those that have ended as well."""
        self._look()
        return self._configured + self._kept

    def _look(self) -> None:
        now_s = self._clock()
        if self._file is None or (
            self._looked_at_s is not None and now_s - self._looked_at_s < self._interval_s
        ):
            return
        self._looked_at_s = now_s
        seen = _version_of(self._file)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            book = read_key_book(self._file)
        except InvalidInputError as error:
            logger.error("the file of API keys can't be used, the keys stay as they were: %s", error.message)
            return
        if book != self._book:
            self._on_book(self._book, book)
            self._book = book
        self._kept = tuple(key for holder in book.holders for key in _of_holder(holder))
        logger.info("API keys read", extra={"key_count": len(self._kept)})
        if not self._kept and not self._configured:
            logger.warning(
                "there is no API key in %s, so everybody is refused. Make one with `interview keys create`",
                self._file,
            )


def _version_of(file: Path) -> tuple[int, ...]:
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _of_settings(key: ApiKey) -> KnownKey:
    ends = (key.expires,) if key.expires else ()
    return KnownKey(key.name, key.owner_group, key.scopes, key.sha256, ends)


def _of_holder(holder: KeyHolder) -> list[KnownKey]:
    return [
        KnownKey(
            holder.name,
            holder.group,
            holder.scopes,
            secret.sha256,
            tuple(end for end in (holder.expires, secret.expires) if end is not None),
            made_by_us=True,
            upload_rate=holder.upload_rate,
            byte_rate=holder.byte_rate,
        )
        for secret in holder.secrets
    ]
