"""API keys: what one looks like, who holds one, and what of it is kept. Pure.

A key is `ia_`, 40 random letters and digits, and 6 more that check them. So a scanner of secrets finds one in
a text, and a key that was mistyped is told from one that is not known. Only its SHA-256 is kept.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from chassis.errors import NotFoundError, PreconditionError
from chassis.limits import MAX_GROUP_CHARACTERS

Scope = Literal["submit", "read", "review", "manage", "admin"]
"""`submit` uploads. `read` sees states, results and media. `review` also has a session judged again. `manage`
lists, cancels, retries and deletes as well. `admin` may do all of it, to the sessions of every group."""

PREFIX = "ia_"
ALPHABET = string.ascii_letters + string.digits
RANDOM_CHARACTERS = 40
"""238 bits: nobody guesses a key, so a plain SHA-256 keeps it as well as a slow hash would."""
CHECK_CHARACTERS = 6
SHAPE = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{RANDOM_CHARACTERS + CHECK_CHARACTERS}}}")
RATE = re.compile(r"([1-9][0-9]{0,17})/(minute|hour|day|month)|")


def _has_time_zone(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("needs a time zone, such as 2027-01-31T00:00:00Z")
    return value


def _is_rate(value: str) -> str:
    if RATE.fullmatch(value) is None:
        raise ValueError("is a number and a time, such as 100/hour or 5000000000/day, or empty")
    return value


Time = Annotated[datetime, AfterValidator(_has_time_zone)]
Rate = Annotated[str, AfterValidator(_is_rate)]
Name = Annotated[str, Field(min_length=1, max_length=MAX_GROUP_CHARACTERS)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def new_key() -> str:
    """Return a key that nobody can guess."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    return PREFIX + random + _check_of(random)


def is_whole(key: str) -> bool:
    """Tell whether a text is a key of ours without a slip: its shape and its check characters are right."""
    random = key[len(PREFIX) : -CHECK_CHARACTERS]
    return SHAPE.fullmatch(key) is not None and key.endswith(_check_of(random))


def digest_of(key: str) -> str:
    """Return what is kept of a key: its SHA-256 in lower-case hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def _check_of(random: str) -> str:
    value, characters = zlib.crc32(random.encode()), ""
    for _ in range(CHECK_CHARACTERS):
        value, rest = divmod(value, len(ALPHABET))
        characters += ALPHABET[rest]
    return characters


class Secret(BaseModel):
    """One key that its holder may present. During a rotation there are two."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: Digest
    expires: Time | None = None
    """None: with its holder's."""


class KeyHolder(BaseModel):
    """Who holds a key, and what they may do with it. What a newer build adds is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Name
    group: Name
    """Owns the sessions that are made with the key."""
    scopes: tuple[Scope, ...] = Field(min_length=1)
    created: Time
    expires: Time | None = None
    """None: never."""
    revoked: Time | None = None
    upload_rate: Rate = ""
    """Accepted uploads, such as `100/hour`. Empty: the gateway's own limit."""
    byte_rate: Rate = ""
    """Bytes of accepted recordings, such as `5000000000/day`. Empty: the gateway's own limit."""
    secrets: tuple[Secret, ...] = ()
    """The newest one last. None once it is revoked."""


class KeyBook(BaseModel):
    """All holders of keys, those whose keys were revoked as well."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    holders: tuple[KeyHolder, ...] = ()

    def find(self, name: str) -> KeyHolder:
        """Return a holder whose keys were not revoked.

        Raises:
            NotFoundError: There is none of this name (`KEY_NOT_FOUND`).
        """
        for holder in self.holders:
            if holder.name == name and holder.revoked is None:
                return holder
        raise NotFoundError(
            "There is no such key, or it was revoked. `interview keys list` shows the names.",
            reason="KEY_NOT_FOUND",
        )


def created(
    book: KeyBook,
    name: str,
    *,
    now: datetime,
    scopes: Iterable[Scope],
    group: str = "",
    expires: datetime | None = None,
    upload_rate: str = "",
    byte_rate: str = "",
) -> tuple[KeyBook, str]:
    """Return the book with one more holder, and the holder's key, which is kept nowhere.

    Raises:
        PreconditionError: The name is taken, also by a key that was revoked (`KEY_NAME_TAKEN`).
        pydantic.ValidationError: A value is wrong.
    """
    if any(holder.name == name for holder in book.holders):
        raise PreconditionError(
            "There is or was a key of this name. Choose another name, or rotate that key.",
            reason="KEY_NAME_TAKEN",
        )
    key = new_key()
    holder = KeyHolder(
        name=name,
        group=group or name,
        scopes=tuple(dict.fromkeys(scopes)),
        created=now,
        expires=expires,
        upload_rate=upload_rate,
        byte_rate=byte_rate,
        secrets=(Secret(sha256=digest_of(key)),),
    )
    return book.model_copy(update={"holders": (*book.holders, holder)}), key


def rotated(book: KeyBook, name: str, *, now: datetime, grace: timedelta) -> tuple[KeyBook, str]:
    """Return the book with a new key for a holder, and that key. The older ones end after a while.

    Raises:
        NotFoundError: `KEY_NOT_FOUND`.
    """
    key, end = new_key(), now + grace
    holder = book.find(name)
    older = [
        Secret(sha256=old.sha256, expires=min(old.expires or end, end))
        for old in holder.secrets
        if old.expires is None or old.expires > now
    ]
    renewed = holder.model_copy(update={"secrets": (*older, Secret(sha256=digest_of(key)))})
    return _with(book, renewed), key


def revoked(book: KeyBook, name: str, *, now: datetime) -> KeyBook:
    """Return the book in which none of a holder's keys is valid any more. Its name stays taken.

    Raises:
        NotFoundError: `KEY_NOT_FOUND`.
    """
    return _with(book, book.find(name).model_copy(update={"revoked": now, "secrets": ()}))


def _with(book: KeyBook, changed: KeyHolder) -> KeyBook:
    holders = tuple(changed if holder.name == changed.name else holder for holder in book.holders)
    return book.model_copy(update={"holders": holders})
