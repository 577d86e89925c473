"""Whether it is our own page that asks: a browser sends cookies by itself, whoever made it do so."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from chassis.errors import ForbiddenError


def check_own_page(connection: HTTPConnection, own_origin: str = "") -> None:
    """Refuse to act by a cookie for anything but a page of our own origin.

    Another port of the same host is of the same site, so `SameSite` lets it send our cookies, and it may be
    one that is allowed to call without them (GATEWAY_CORS_ORIGINS). A request that names no page at all is of
    no browser of today, and is refused as well.

    Args:
        connection: What asks.
        own_origin: Our origin. Empty: the host that it calls us by, over https or not.

    Raises:
        ForbiddenError: `ORIGIN_FORBIDDEN`.
    """
    origin, host = connection.headers.get("origin"), connection.headers.get("host", "")
    if origin is None:
        own = connection.headers.get("sec-fetch-site") == "same-origin"
    else:
        own = origin in ([own_origin] if own_origin else [f"http://{host}", f"https://{host}"])
    if not own:
        raise ForbiddenError(
            "Only our own page may do this for somebody who signed in there. Use an API key elsewhere.",
            reason="ORIGIN_FORBIDDEN",
        )
