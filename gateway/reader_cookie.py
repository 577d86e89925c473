"""The cookie of a browser that signed in: for its player and its event stream, which can't send headers.

It never holds a key. It is an end and a MAC over that end and the key's SHA-256. So every replica with the
same secret and the same keys can check it, nothing is kept of it, and it ends with its key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from gateway import cookies

COOKIE = "interview_reader"
FORMER_COOKIE = "interview_key"
"""What earlier versions kept the key itself in. A browser that signs in is told to forget it."""
SHAPE = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})")


def cookie_name(scheme: str) -> str:
    """Return the cookie's name where we are called by a scheme: `https`, `wss`, or one without TLS."""
    return cookies.cookie_name(COOKIE, secure=scheme in ("https", "wss"))


class ReaderCookies:
    """Makes and checks values of the cookie.

    Args:
        sign_secrets: The first one signs, all of them check, so a secret can be replaced. At least one.
        lifetime_s: How long a cookie lasts.
    """

    def __init__(self, sign_secrets: Sequence[bytes], lifetime_s: int) -> None:
        self._secrets = sign_secrets
        self.lifetime_s = lifetime_s

    def made_for(self, key_sha256: str, now: datetime) -> str:
        """Return a cookie's value for the holder of a key."""
        end = str(int(now.timestamp()) + self.lifetime_s)
        return f"{end}.{_mac(self._secrets[0], end, key_sha256)}"

    def is_from(self, value: str, key_sha256: str, now: datetime) -> bool:
        """Tell whether a cookie is one of a key's, and has not ended."""
        match = SHAPE.fullmatch(value)
        if match is None:
            return False
        known = False
        for secret in self._secrets:  # all of them: the time taken tells nothing
            known |= hmac.compare_digest(match[2], _mac(secret, match[1], key_sha256))
        return known and now.timestamp() < int(match[1])


def _mac(secret: bytes, end: str, key_sha256: str) -> str:
    return hmac.new(secret, f"{COOKIE}:{end}:{key_sha256}".encode(), hashlib.sha256).hexdigest()
