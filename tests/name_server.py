"""A DNS server on this machine with one name, whose addresses come and go as those of a headless service.

gRPC asks it where an address says so: `dns://127.0.0.1:PORT/stage.test:50051`.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

NAME = "stage.test"
HEADER_BYTES = 12
ANSWER, NO_SUCH_NAME = 0x8180, 0x8183
TYPE_A, CLASS_IN, TTL_S = 1, 1, 0
NAME_OF_THE_QUESTION = b"\xc0\x0c"


class NameServer(asyncio.DatagramProtocol):
    """Answers every question with the same IPv4 addresses. Without one there is no such name."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = addresses
        self.port = 0
        self._transport: Any = None

    def address(self, port: int) -> str:
        """Return what gRPC is told to reach a port of all addresses."""
        return f"dns://127.0.0.1:{self.port}/{NAME}:{port}"

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        end = HEADER_BYTES
        while data[end]:
            end += data[end] + 1
        question, (kind,) = data[HEADER_BYTES : end + 5], struct.unpack(">H", data[end + 1 : end + 3])
        found = self.addresses if kind == TYPE_A else ()
        flags = ANSWER if self.addresses else NO_SUCH_NAME
        reply = data[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0) + question
        for address in found:
            reply += NAME_OF_THE_QUESTION + struct.pack(">HHIH", TYPE_A, CLASS_IN, TTL_S, 4)
            reply += bytes(int(part) for part in address.split("."))
        self._transport.sendto(reply, addr)


@asynccontextmanager
async def name_server(*addresses: str) -> AsyncIterator[NameServer]:
    """Serve a name with these addresses. Change them at will."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: NameServer(addresses), local_addr=("127.0.0.1", 0)
    )
    server.port = transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.close()
