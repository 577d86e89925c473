"""What the gateway refused, in words for who typed a command."""

from __future__ import annotations

import json

import httpx

from cli.failures import CommandError, ExitCode

API_KEY_HEADER = "X-API-Key"
API_KEY_VARIABLE = "INTERVIEW_API_KEY"
KEY_REASONS = frozenset(
    {"API_KEY_INVALID", "API_KEY_MISTYPED", "API_KEY_SCOPE_MISSING", "TOO_MANY_WRONG_KEYS"}
)
"""Refusals that another key helps against."""


def refusal(reply: httpx.Response) -> CommandError:
    """Return a refusal of the gateway as a failure of the command."""
    try:
        body = reply.json()
    except json.JSONDecodeError:
        body = {}
    body = body if isinstance(body, dict) else {}
    message = str(body.get("message") or f"The gateway answered {reply.status_code}.")
    code = str(body.get("code") or f"HTTP_{reply.status_code}")
    if code in KEY_REASONS:
        message = _about_the_key(message, code, given=API_KEY_HEADER in reply.request.headers)
    return CommandError(message, code=code, exit_code=_exit_code(reply.status_code))


def _about_the_key(message: str, code: str, *, given: bool) -> str:
    """Say what to do about the key, which no option gives."""
    if not given:
        return f"This gateway needs an API key. Set {API_KEY_VARIABLE} to yours."
    if code == "API_KEY_INVALID":
        return (
            f"The gateway does not know this API key, or it has ended. Set a valid one in {API_KEY_VARIABLE}."
        )
    return f"{message} The key is read from {API_KEY_VARIABLE}."


def _exit_code(http_status: int) -> ExitCode:
    if http_status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
        return ExitCode.NOT_FOUND
    # Too many requests and the gateway's own troubles: the same command may work later.
    if http_status == httpx.codes.TOO_MANY_REQUESTS or http_status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return ExitCode.UNREACHABLE
    return ExitCode.REJECTED
