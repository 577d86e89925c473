"""Who a browser acts for by a cookie: somebody who signed in, or a visitor of the original's page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import HTTPConnection
from starlette.responses import Response

from chassis.api_keys import Scope
from chassis.errors import ForbiddenError, InvalidInputError
from gateway import original_page
from gateway.auth import sign_in_ended
from gateway.callers import Client, log_refusal
from gateway.cookies import cookie_name, set_cookie, take_cookie
from gateway.original_page import PAGE_ROUTES, OriginalPage
from gateway.own_page import check_own_page
from gateway.people import persons, sign_in
from gateway.people.persons import People, Person
from gateway.people.sign_in import SignIn
from gateway.sessions import parse_session_id

SAFE_METHODS = ("GET", "HEAD")


@dataclass(frozen=True)
class Browsers:
    """Tells browsers by their cookies.

    Attributes:
        people: Knows those who signed in. None where nobody can.
        sign_in: Lets people sign in. None where nobody can.
        page: Lets visitors of the original's page in.
        public_url: How browsers reach us, where people sign in.
        now: The present time.
    """

    people: People | None
    sign_in: SignIn | None
    page: OriginalPage
    public_url: str
    now: Callable[[], datetime]

    @property
    def _secure(self) -> bool:
        return self.public_url.startswith("https:")

    def person(self, connection: HTTPConnection) -> Person | None:
        """Return who has signed in with a browser. None where nobody has, or it has ended."""
        if self.people is None:
            return None
        return self.people.find(self._value(connection, persons.COOKIE, secure=self._secure), self.now())

    def client_of(self, connection: HTTPConnection, scopes: Sequence[Scope]) -> Client | None:
        """Return whom a browser acts for. None where no cookie of it says so.

        Raises:
            ForbiddenError: It does, but not for this, or not by a page of ours.
        """
        try:
            return self._person_as_client(connection, scopes) or self._visitor_as_client(connection, scopes)
        except ForbiddenError as error:
            log_refusal(error.reason, _address_of(connection))
            raise

    def check_ended(self, connection: HTTPConnection) -> None:
        """Say it to a browser whose person was signed in.

        Raises:
            ForbiddenError: It brings a cookie of a sign-in that is over (`SIGN_IN_ENDED`).
        """
        if self.people is not None and self._value(connection, persons.COOKIE, secure=self._secure):
            raise sign_in_ended()

    def keep_person(self, response: Response, person: Person) -> None:
        """Give a browser the cookie of somebody who signed in."""
        if self.people is not None:
            value, lifetime_s = self.people.cookie_for(person, self.now()), self.people.lifetime_s
            set_cookie(response, persons.COOKIE, value, lifetime_s, secure=self._secure, samesite="lax")

    def forget_person(self, response: Response) -> None:
        """Take that cookie."""
        take_cookie(response, persons.COOKIE, secure=self._secure, samesite="lax")

    def keep_attempt(self, response: Response, value: str) -> None:
        """Give a browser what it brings back from the provider."""
        lifetime_s = sign_in.ATTEMPT_LIFETIME_S
        set_cookie(response, sign_in.ATTEMPT_COOKIE, value, lifetime_s, secure=self._secure, samesite="lax")

    def attempt(self, connection: HTTPConnection) -> str:
        """Return what a browser brought back from the provider."""
        return self._value(connection, sign_in.ATTEMPT_COOKIE, secure=self._secure)

    def forget_attempt(self, response: Response) -> None:
        """Take what a browser brought back: it is good for one sign-in."""
        take_cookie(response, sign_in.ATTEMPT_COOKIE, secure=self._secure, samesite="lax")

    def keep_visit(self, connection: HTTPConnection, response: Response, session_id: str = "") -> None:
        """Give a visitor of the original's page its cookie, or a new one with what it has submitted."""
        submitted = self._submitted(connection) or ()
        value = self.page.cookie_for([*submitted, *filter(None, [session_id])], self.now())
        name, secure = original_page.COOKIE, connection.url.scheme == "https"
        set_cookie(response, name, value, self.page.lifetime_s, secure=secure, samesite="lax")

    def _person_as_client(self, connection: HTTPConnection, scopes: Sequence[Scope]) -> Client | None:
        person = self.person(connection)
        if person is None or self.people is None:
            return None
        if _changes(connection):
            check_own_page(connection, self.public_url)
        return self.people.client_of(person, scopes)

    def _visitor_as_client(self, connection: HTTPConnection, scopes: Sequence[Scope]) -> Client | None:
        route = getattr(connection.scope.get("route"), "path", "")
        submitted = self._submitted(connection) if route in PAGE_ROUTES else None
        if submitted is None:
            return None
        if _changes(connection):
            check_own_page(connection)
        try:
            asked = connection.path_params.get("session_id")
            session_id = None if asked is None else parse_session_id(asked)
        except InvalidInputError:
            session_id = ""  # The route says what is wrong with it.
        return self.page.client_of(submitted, _address_of(connection), session_id, scopes)

    def _submitted(self, connection: HTTPConnection) -> tuple[str, ...] | None:
        secure = connection.url.scheme == "https"
        return self.page.sessions_of(self._value(connection, original_page.COOKIE, secure=secure), self.now())

    def _value(self, connection: HTTPConnection, name: str, *, secure: bool) -> str:
        return connection.cookies.get(cookie_name(name, secure=secure), "")


def _changes(connection: HTTPConnection) -> bool:
    """Tell whether a request changes something, or opens a WebSocket: `SameSite` alone guards neither."""
    return connection.scope["type"] == "websocket" or connection.scope["method"] not in SAFE_METHODS


def _address_of(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "unknown"
