"""One attempt at DeepL with its library: without the library's own retries, within a deadline.

What the library can't read in a reply is made readable for it: it raises on a reply that does not say what
was billed, and on an error whose message is no text.
"""

from __future__ import annotations

import json as json_module
from typing import Any

import deepl
from deepl.http_client import HttpClient

from chassis.deadline import Deadline

UNKNOWN_BILLING = -1
"""Stands for the characters of a translation whose reply does not say what is billed."""
MESSAGE_FIELDS = ("message", "detail")


class OneAttempt(HttpClient):
    """The library's HTTP client without its own retries, within a deadline.

    Args:
        deadline: The caller's.
        attempt_timeout_s: Longest silence of the server.
    """

    def __init__(self, deadline: Deadline, attempt_timeout_s: float) -> None:
        super().__init__(send_platform_info=False)
        self._deadline = deadline
        self._attempt_timeout_s = attempt_timeout_s

    def request_with_backoff(
        self,
        method: str,
        url: str,
        data: dict[str, Any] | None,
        json: dict[str, Any] | None,
        headers: dict[str, str],
        stream: bool = False,
        **options: Any,
    ) -> Any:
        """Send one request and return its status and content."""
        timeout_s = min(self._attempt_timeout_s, self._deadline.remaining_s)
        if timeout_s <= 0:
            raise deepl.ConnectionException("the deadline has passed", should_retry=True)
        request = self._prepare_request(method, url, data, json, headers, **options)
        status, content = self._internal_request(request, stream, timeout=timeout_s)
        return status, readable(content) if isinstance(content, str) else content


def readable(content: str) -> str:
    """Return a reply that the library can read. What is not JSON's object stays as it is."""
    try:
        reply = json_module.loads(content)
    except ValueError:
        return content
    if not isinstance(reply, dict):
        return content
    for field in MESSAGE_FIELDS:
        if field in reply and not isinstance(reply[field], str):
            reply[field] = json_module.dumps(reply[field])
    translations = reply.get("translations")
    for translation in translations if isinstance(translations, list) else ():
        if isinstance(translation, dict) and not _is_count(translation.get("billed_characters")):
            translation["billed_characters"] = UNKNOWN_BILLING
    return json_module.dumps(reply)


def _is_count(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isdecimal())
