"""One sign-in: to the provider and back (authorization code with PKCE, state and nonce)."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from chassis.errors import ExhaustedError, ForbiddenError, InvalidInputError
from gateway.audit_notes import AuditNotes
from gateway.callers import log_refusal
from gateway.guesses import Guesses
from gateway.people.id_tokens import UnknownKeyError, claims_of, refused_token
from gateway.people.persons import People, Person, groups_in
from gateway.people.provider import Provider, Tokens, refused_by_provider
from gateway.people.settings import PeopleSettings
from gateway.sealed import Seal

ATTEMPT_COOKIE = "interview_signing_in"
ATTEMPT_LIFETIME_S = 600
CALLBACK_PATH = "/signin/callback"
RANDOM_BYTES = 32
MAX_CODE_CHARACTERS = 4096
MAX_NEXT_CHARACTERS = 500
OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of ours: printable ASCII without `\\`. `//` and `/\\` are other hosts to a browser."""


def checked_next(path: str) -> str:
    """Return where a browser goes after a sign-in.

    Raises:
        InvalidInputError: It is not a path of ours (`SIGN_IN_NEXT_INVALID`).
    """
    if len(path) > MAX_NEXT_CHARACTERS or OWN_PATH.fullmatch(path) is None:
        raise InvalidInputError(
            "`next` is a path of this site, such as /?session=…. Leave it out to get to the start page.",
            reason="SIGN_IN_NEXT_INVALID",
        )
    return path


class SignIn:
    """Sends browsers to the provider, and takes them when they come back.

    Args:
        settings: Who we are to the provider.
        provider: Asks the provider.
        people: Knows who may do what.
        seal: Seals what a browser keeps while its person is at the provider.
        guesses: Bounds the sign-ins of one address that fail.
        now: The present time.
        audit: Is told who signed in, and what was refused.
    """

    def __init__(
        self,
        settings: PeopleSettings,
        provider: Provider,
        people: People,
        seal: Seal,
        guesses: Guesses,
        now: Callable[[], datetime],
        audit: AuditNotes,
    ) -> None:
        self._settings = settings
        self._provider = provider
        self._people = people
        self._seal = seal
        self._guesses = guesses
        self._now = now
        self._audit = audit
        self._redirect_uri = settings.public_url + CALLBACK_PATH

    async def begin(self, next_path: str) -> tuple[str, str]:
        """Return where a browser signs in, and what it keeps until it is back.

        Raises:
            InvalidInputError: `next_path` is not a path of ours.
            UnavailableError: The provider is away.
        """
        kept = {"next": checked_next(next_path)}
        kept |= {name: secrets.token_urlsafe(RANDOM_BYTES) for name in ("state", "nonce", "verifier")}
        address = prepare_grant_uri(
            (await self._provider.endpoints()).authorization,
            client_id=self._settings.oidc_client_id,
            response_type="code",
            redirect_uri=self._redirect_uri,
            scope=self._settings.oidc_scopes,
            state=kept["state"],
            nonce=kept["nonce"],
            code_challenge=create_s256_code_challenge(kept["verifier"]),
            code_challenge_method="S256",
        )
        return str(address), self._seal.seal(kept, self._now())

    async def finish(self, given: Mapping[str, str], cookie: str, address: str) -> tuple[Person, str]:
        """Return who has signed in, and where the browser goes now.

        Args:
            given: What the provider gave the browser to bring: `state`, and `code` or `error`.
            cookie: What the browser kept.
            address: Where it asks from.

        Raises:
            InvalidInputError: This browser began no such sign-in (`SIGN_IN_STATE_INVALID`).
            ForbiddenError: Provider or person is refused.
            ExhaustedError: Too many sign-ins of this address have failed.
            UnavailableError: The provider is away.
        """
        try:
            kept, code = await self._checked(given, cookie)
            # From here on the provider is asked. What was refused before costs nobody anything.
            async with self._guesses.tried(address):
                person = await self._redeemed(code, kept, address)
        except (ForbiddenError, InvalidInputError, ExhaustedError) as error:
            log_refusal(error.reason, address)
            self._audit.sign_in_refused(error.reason)
            raise
        self._audit.signed_in(person.subject)
        return person, kept["next"]

    async def _checked(self, given: Mapping[str, str], cookie: str) -> tuple[Mapping[str, str], str]:
        kept = self._seal.open(cookie, self._now())
        if kept is None or not hmac.compare_digest(kept["state"].encode(), given.get("state", "").encode()):
            raise InvalidInputError(
                "This browser has begun no such sign-in, or it took more than 10 minutes. Sign in again.",
                reason="SIGN_IN_STATE_INVALID",
            )
        names_itself = (await self._provider.endpoints()).names_itself
        if given.get("iss", "" if names_itself else self._provider.issuer) != self._provider.issuer:
            raise refused_token()
        code = given.get("code", "")
        if "error" in given or not 0 < len(code) <= MAX_CODE_CHARACTERS:
            raise refused_by_provider()
        return kept, code

    async def _redeemed(self, code: str, kept: Mapping[str, str], address: str) -> Person:
        try:
            tokens = await self._provider.redeem(code, kept["verifier"], self._redirect_uri)
            now = self._now()
            claims = await self._claims(tokens, kept["nonce"], now)
            groups = groups_in(claims, self._settings.oidc_groups_claim)
            return self._people.met(self._provider.issuer, claims, groups, now)
        except ForbiddenError:
            await self._guesses.count(address)
            raise

    async def _claims(self, tokens: Tokens, nonce: str, now: datetime) -> Mapping[str, object]:
        for again in (False, True):
            keys = await self._provider.keys(again=again)
            try:
                return claims_of(
                    tokens.id_token,
                    keys,
                    issuer=self._provider.issuer,
                    client_id=self._settings.oidc_client_id,
                    nonce=nonce,
                    access_token=tokens.access_token,
                    now=now,
                )
            except UnknownKeyError:
                continue  # The provider may have a new key.
        raise refused_token()
