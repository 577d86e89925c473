"""The original's web client, served from our origin: its visitors act for a key that they never see.

Whoever reaches the page gets a cookie, and with it may submit. It names the sessions that were submitted with
it, and shows these alone. The group of the key owns them, so others see them as they see any other session.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

from chassis.api_keys import Scope
from gateway.auth import KeyRing
from gateway.callers import Client
from gateway.sealed import Seal

COOKIE = "interview_original_page"
PREFIX = "/original"
MAX_SESSION_COUNT = 40
"""That one cookie names. The oldest ones are forgotten."""
PAGE_ROUTES = (
    "/upload",
    "/upload_json",
    "/status/{session_id}",
    "/results/{session_id}",
    "/results/{session_id}.json",
)
"""All that the page asks for."""
NOBODY = frozenset({f"nobody-{secrets.token_hex(16)}"})
"""A group that owns nothing, and that nobody can name: who asks in its name finds no session."""
POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-hashes' {hashes}; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The scripts that stand in the page run. What is written into it later, such as a name, does not."""


class OriginalPage:
    """Lets visitors of the page in.

    Args:
        folder: The web client. None: it is not served, and nobody is let in.
        key_name: The key that visitors act for.
        keys: The known keys.
        seal: Seals the cookies.
    """

    def __init__(self, folder: Path | None, key_name: str, keys: KeyRing, seal: Seal) -> None:
        self.folder = folder
        self._key_name = key_name
        self._keys = keys
        self._seal = seal
        self.lifetime_s = seal.lifetime_s

    def sessions_of(self, cookie: str, now: datetime) -> tuple[str, ...] | None:
        """Return the sessions that were submitted with a cookie. None where it is not ours or has ended."""
        kept = self._seal.open(cookie, now) if self.folder is not None else None
        return None if kept is None else tuple(kept["sessions"])

    def cookie_for(self, sessions: Sequence[str], now: datetime) -> str:
        """Return a cookie's value for a visitor who submitted these sessions."""
        return self._seal.seal({"sessions": list(sessions)[-MAX_SESSION_COUNT:]}, now)

    def client_of(
        self, sessions: Sequence[str], address: str, session_id: str | None, scopes: Sequence[Scope]
    ) -> Client | None:
        """Return a visitor as a caller, for what needs one of these scopes.

        Args:
            sessions: What the visitor submitted.
            address: Where it comes from. Its limits are counted by that.
            session_id: The session that it asks for. None: none.
            scopes: One of them is needed.

        Returns:
            The caller. None where the key has ended, or lacks the scope.
        """
        key = self._keys.find_named(self._key_name)
        if key is None or not {"admin", *scopes}.intersection(key.scopes):
            return None
        own = session_id is None or session_id in sessions
        return Client(
            f"page:{key.name}",
            group=key.group,
            groups=frozenset({key.group}) if own else NOBODY,
            key_sha256=key.sha256,
            address=address,
        )


class _Inline(HTMLParser):
    """Collects the scripts that stand in a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag == "script" and not any(name == "src" for name, _ in attrs)
        if self._inside:
            self.scripts.append("")
        self.scripts += [value for name, value in attrs if name.startswith("on") and value]

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.scripts[-1] += data


def policy_of(page: str) -> str:
    """Return the content policy of a page: the scripts in it may run, by their digests."""
    inline = _Inline()
    inline.feed(page.replace("\r\n", "\n").replace("\r", "\n"))  # as a browser reads it
    inline.close()
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()) for script in inline.scripts)
    return POLICY.format(hashes=" ".join(f"'sha256-{digest.decode()}'" for digest in digests))
