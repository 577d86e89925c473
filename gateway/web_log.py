"""What the web server itself writes into our log: not who connects, with which key, and what is asked for."""

from __future__ import annotations

import logging

NO_FAULT = "ASGI callable returned without completing handshake."
"""What uvicorn says, as an error, of each WebSocket that is refused with an answer of HTTP. It sends that."""


class WithoutPaths(logging.Filter):
    """Takes addresses and paths out of uvicorn's lines about WebSockets.

    A path holds a session's id, and what stands behind its `?` may be a key that somebody put there.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a record pass, without what it tells of a client."""
        message = str(record.msg)
        if message == NO_FAULT or record.levelno < logging.INFO:
            # Below are the bytes of each WebSocket's handshake, with keys and cookies.
            return False
        if '"WebSocket %s"' in message:
            accepted = message.endswith("[accepted]")
            record.msg, record.args = f"a WebSocket was {'accepted' if accepted else 'refused'}", ()
        return True


def keep_clients_out_of_the_log() -> None:
    """Do it for all that uvicorn logs in this process. It may be called again."""
    logger = logging.getLogger("uvicorn.error")
    if not any(isinstance(known, WithoutPaths) for known in logger.filters):
        logger.addFilter(WithoutPaths())
