"""Who is let in: keys by their SHA-256, compared in constant time, with scopes, an end and a group."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from chassis.api_keys import PREFIX, Scope, digest_of, is_whole
from chassis.errors import ExhaustedError, ForbiddenError
from gateway.callers import UNOWNED, Client, log_refusal
from gateway.guesses import Guesses
from gateway.known_keys import KeySource, KnownKey
from gateway.reader_cookie import ReaderCookies

HEADER = "X-API-Key"
COOKIE_SCOPE: Scope = "read"
"""All that a cookie is good for. A browser sends it by itself, whoever made it do so."""


def utc_now() -> datetime:
    """Return the present time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Credentials:
    """What a request brings to be let in."""

    address: str
    key: str | None = field(default=None, repr=False)
    cookie: str | None = field(default=None, repr=False)
    """None where a cookie does not count, because something would be changed."""


class KeyRing:
    """Tells clients by their keys.

    Args:
        source: The known keys.
        cookies: Checks the cookies of browsers.
        guesses: Bounds the wrong keys of one address.
        heir_group: The group that also sees sessions without an owner. Empty: none does.
        now: Clock for what ends.
        refused: Is told of each key that is refused: why, and its holder where that is known.
        people_sign_in: Whether people can sign in, so that without keys as well nobody is let in unknown.
    """

    def __init__(
        self,
        source: KeySource,
        cookies: ReaderCookies,
        guesses: Guesses,
        heir_group: str = "",
        now: Callable[[], datetime] = utc_now,
        *,
        people_sign_in: bool = False,
        refused: Callable[[str, str], None] = lambda _reason, _who: None,
    ) -> None:
        self._source = source
        self._cookies = cookies
        self._guesses = guesses
        self._heir_group = heir_group
        self._now = now
        self._refused = refused
        self._people_sign_in = people_sign_in

    @property
    def open(self) -> bool:
        """Whether everybody is let in."""
        return self._source.none_needed and not self._people_sign_in

    async def let_in(self, given: Credentials, *scopes: Scope) -> Client:
        """Return the client who sent a request, for what needs one of these scopes.

        Raises:
            ForbiddenError: The key is absent, unknown, expired, mistyped, or not for any of these scopes.
            ExhaustedError: Too many wrong keys came from this address.
        """
        if self.open:
            return Client(given.address)
        key = self._key_of(given)
        try:
            return await self._checked(given, key, scopes)
        except (ForbiddenError, ExhaustedError) as error:
            who = f"key:{key.name}" if key else ""
            log_refusal(error.reason, given.address, who)
            if given.key is not None:  # Without one nobody has tried anything.
                self._refused(error.reason, who)
            raise

    async def _checked(self, given: Credentials, key: KnownKey | None, scopes: Sequence[Scope]) -> Client:
        if given.key is not None and (key is None or not key.made_by_us):
            # Even if this one is right: else the guessing goes on. A key that we made can't be guessed.
            await self._guesses.check(given.address)
        if key is None:
            if given.key is not None:
                await self._guesses.count(given.address)
            raise _refusal(given.key or "")
        granted = (COOKIE_SCOPE,) if given.key is None else key.scopes
        if "admin" not in granted and not set(scopes) & set(granted):
            raise ForbiddenError(
                f"This API key lacks the scope '{scopes[0]}'. Use a key that has it.",
                reason="API_KEY_SCOPE_MISSING",
            )
        return Client(
            f"key:{key.name}",
            group=key.group,
            groups=self._visible(key),
            key_sha256=key.sha256,
            upload_rate=key.upload_rate,
            byte_rate=key.byte_rate,
        )

    def check_still_in(self, client: Client) -> None:
        """Put a client out whose key or sign-in has ended since it was let in.

        Raises:
            ForbiddenError: It has.
        """
        now = self._now()
        if client.key_sha256 and not any(
            key.sha256 == client.key_sha256 and key.valid_at(now) for key in self._source.known()
        ):
            raise ForbiddenError(
                "The API key has ended. Ask for a new one, and connect again.", reason="API_KEY_INVALID"
            )
        if client.end is not None and now >= client.end:
            raise sign_in_ended()

    def find_named(self, name: str) -> KnownKey | None:
        """Return the newest key of a name that has not ended."""
        return self._find(lambda known: known.name == name)

    def cookie_for(self, client: Client) -> tuple[str, int]:
        """Return a cookie's value for a client with a key, and its lifetime in seconds."""
        return self._cookies.made_for(client.key_sha256, self._now()), self._cookies.lifetime_s

    def _key_of(self, given: Credentials) -> KnownKey | None:
        if given.key is None and given.cookie is not None:
            key = self._find(
                lambda known: self._cookies.is_from(given.cookie or "", known.sha256, self._now())
            )
            if key is not None and {COOKIE_SCOPE, "admin"} & set(key.scopes):
                return key
        digest = digest_of(given.key or "")
        return self._find(lambda known: hmac.compare_digest(digest, known.sha256))

    def _find(self, is_it: Callable[[KnownKey], bool]) -> KnownKey | None:
        found, now = None, self._now()
        for key in self._source.known():  # all of them: the time taken tells nothing
            if is_it(key) and key.valid_at(now):
                found = key
        return found

    def _visible(self, key: KnownKey) -> frozenset[str] | None:
        if "admin" in key.scopes:
            return None
        own = frozenset({key.group})
        return own | UNOWNED if key.group == self._heir_group else own


def sign_in_ended() -> ForbiddenError:
    """Return the refusal of a browser whose person's sign-in is over."""
    return ForbiddenError("Your sign-in has ended. Sign in again.", reason="SIGN_IN_ENDED")


def _refusal(key: str) -> ForbiddenError:
    if key.startswith(PREFIX) and not is_whole(key):
        return ForbiddenError(
            "This API key is not complete, or a character of it is wrong. Copy it again.",
            reason="API_KEY_MISTYPED",
        )
    return ForbiddenError("Invalid or missing API Key", reason="API_KEY_INVALID")
