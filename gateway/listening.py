"""The gateway's address: taken before anything is composed, and told once it is served."""

from __future__ import annotations

import errno
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import uvicorn

from chassis.settings import address_unavailable
from gateway.settings import GatewaySettings

logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def listen(settings: GatewaySettings) -> list[socket.socket]:
    """Listen on every address that the host's name stands for, and return the sockets.

    Raises:
        PreconditionError: An address is taken or not ours (`ADDRESS_UNAVAILABLE`).
    """
    sockets: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        sockets.extend(filter(None, (_listening(family, to) for family, *_, to in dict.fromkeys(found))))
    except OSError:
        for one in sockets:
            one.close()
        sockets.clear()
    if not sockets:
        raise address_unavailable(settings, "host", "port")
    return sockets


def _listening(family: int, address: object) -> socket.socket | None:
    """Return a socket that listens. None where this machine has no IPv6."""
    try:
        one = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return None
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(cast("Any", address))
        one.listen()  # Two processes may bind one address. Only one of them may listen on it.
    except OSError as error:
        one.close()
        if family == socket.AF_INET6 and error.errno == errno.EADDRNOTAVAIL:
            return None  # A name such as `localhost` may stand for an address that is switched off.
        raise
    return one


class AnnouncedServer(uvicorn.Server):
    """Says in the log where it listens, once it answers: with given sockets uvicorn says nothing.

    A stop is its good end. uvicorn itself raises the signal once more when all is done, and the process would
    end as one that was killed.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See `uvicorn.Server`. To be used in the main thread."""
        before = {number: signal.signal(number, self.handle_exit) for number in STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See `uvicorn.Server`."""
        await super().startup(sockets)
        if self.started:
            for one in sockets or ():
                host, port = one.getsockname()[:2]
                url = f"http://[{host}]:{port}" if one.family == socket.AF_INET6 else f"http://{host}:{port}"
                logger.info("serving", extra={"service": "gateway", "port": port, "url": url})
