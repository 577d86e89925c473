"""Who may call what: a list of methods for each caller, by the names in its certificate or by its token."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from chassis.errors import ForbiddenError
from chassis.identity import CALL_TOKEN_KEY

SUBJECT_NAMES = "x509_subject_alternative_name"
"""Where gRPC keeps the names of a client's certificate."""
ANY_METHOD = "*"
EVERYBODY = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names that the certificate of every process may have, for its health check. They are nobody's name."""


class Callers:
    """Lets calls through by who makes them.

    Args:
        allowed: For each caller the methods that it may call, such as `Analyze`. `*` stands for all. Empty
            lets everybody call everything.
        token_digests: For callers that are known by a token, its SHA-256 (hex), by the caller's name.
    """

    def __init__(self, allowed: Mapping[str, Iterable[str]], token_digests: Mapping[str, str]) -> None:
        self._allowed = {name: frozenset(methods) for name, methods in allowed.items()}
        self._token_digests = {name: digest.lower() for name, digest in token_digests.items()}

    def name_of(self, metadata: Mapping[str, Any], auth: Mapping[str, Iterable[bytes]]) -> str:
        """Return a name of the caller, for the log, whether or not it is let through. Empty for nobody's."""
        return next(iter(self._names_of(metadata, auth)), "")

    def check(self, method: str, metadata: Mapping[str, Any], auth: Mapping[str, Iterable[bytes]]) -> str:
        """Return the name by which a caller is let through. Empty where nobody is told apart.

        Args:
            method: Full name, `/interview.v1.VisionService/Analyze`.
            metadata: The call's metadata.
            auth: What gRPC knows of the connection. A certificate's names are there once they are verified.

        Raises:
            ForbiddenError: The caller is not known (`CALLER_UNKNOWN`), or may not call this
                (`CALLER_FORBIDDEN`).
        """
        names = self._names_of(metadata, auth)
        if not self._allowed:
            return names[0] if names else ""
        known = [name for name in names if name in self._allowed]
        if not known:
            raise ForbiddenError(
                "This process does not know the caller. Give the caller a certificate or a token, and name "
                "it in ALLOWED_CALLERS.",
                reason="CALLER_UNKNOWN",
            )
        for name in known:
            if self._allowed[name] & {ANY_METHOD, method.rpartition("/")[2]}:
                return name
        raise ForbiddenError(
            "The caller may not call this method. Add the method to its list in ALLOWED_CALLERS.",
            reason="CALLER_FORBIDDEN",
        )

    def _names_of(self, metadata: Mapping[str, Any], auth: Mapping[str, Iterable[bytes]]) -> list[str]:
        return [*self._certified(auth), *self._by_token(metadata.get(CALL_TOKEN_KEY))]

    def _certified(self, auth: Mapping[str, Iterable[bytes]]) -> list[str]:
        names = [name.decode("utf-8", "replace") for name in auth.get(SUBJECT_NAMES, ())]
        return [name for name in names if name not in EVERYBODY]

    def _by_token(self, token: object) -> list[str]:
        if not isinstance(token, str) or not token:
            return []
        digest = hashlib.sha256(token.encode()).hexdigest()
        return [name for name, known in self._token_digests.items() if hmac.compare_digest(known, digest)]
