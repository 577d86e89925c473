"""Values that a browser keeps for us, and that it can neither read nor change."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

MAX_SEALED_CHARACTERS = 4000
"""A browser drops a longer cookie without a word."""


class Seal:
    """Encrypts and authenticates values (Fernet), each with an end.

    Args:
        secrets: The first one seals, all of them open, so a secret can be replaced. At least one.
        purpose: What the values are for. A value of another purpose is not opened.
        lifetime_s: How long a value lasts.
    """

    def __init__(self, secrets: Sequence[bytes], purpose: str, lifetime_s: int) -> None:
        self._fernet = MultiFernet([Fernet(_key(secret, purpose)) for secret in secrets])
        self.lifetime_s = lifetime_s

    def seal(self, value: Mapping[str, Any], now: datetime) -> str:
        """Return a value as a browser may keep it."""
        return self._fernet.encrypt_at_time(json.dumps(value).encode(), int(now.timestamp())).decode()

    def open(self, text: str, now: datetime) -> dict[str, Any] | None:
        """Return what was sealed. None where it is not ours, was changed, or has ended."""
        if not text or len(text) > MAX_SEALED_CHARACTERS:
            return None
        try:
            data = self._fernet.decrypt_at_time(text.encode(), self.lifetime_s, int(now.timestamp()))
        except InvalidToken:
            return None
        value: dict[str, Any] = json.loads(data)
        return value


def _key(secret: bytes, purpose: str) -> bytes:
    return base64.urlsafe_b64encode(hmac.new(secret, purpose.encode(), hashlib.sha256).digest())
