"""How our cookies are called, set and taken."""

from __future__ import annotations

from typing import Literal

from starlette.responses import Response

SameSite = Literal["strict", "lax"]


def cookie_name(name: str, *, secure: bool) -> str:
    """Return a cookie's name.

    Over https it begins with `__Host-`. Browsers take such a name from the host itself and over https alone,
    so no other host of the domain can put a cookie of its own in its place.
    """
    return f"__Host-{name}" if secure else name


def set_cookie(
    response: Response, name: str, value: str, lifetime_s: int, *, secure: bool, samesite: SameSite
) -> None:
    """Give a browser a cookie that no script reads."""
    response.set_cookie(
        cookie_name(name, secure=secure),
        value,
        lifetime_s,
        path="/",
        httponly=True,
        samesite=samesite,
        secure=secure,
    )


def take_cookie(response: Response, name: str, *, secure: bool, samesite: SameSite) -> None:
    """Make a browser forget a cookie."""
    response.delete_cookie(
        cookie_name(name, secure=secure), path="/", httponly=True, samesite=samesite, secure=secure
    )
