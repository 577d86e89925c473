"""Sessions whose recordings come from links, and a server that hands such recordings out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from interview.v1 import orchestrator_pb2
from tests.fakes.recording import make_recording
from tests.world import PATIENCE_S, World

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nConnection: close\r\n\r\n"
GONE = b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n"


class FileServer:
    """Hands out one recording; first the replies that it was told, and only while its gate is open."""

    def __init__(self, folder: Path) -> None:
        self.data = make_recording(folder / "served.mp4", seconds=1.0).read_bytes()
        self.first: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.request_count = 0
        self.was_asked = asyncio.Event()
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.request_count += 1
        self.was_asked.set()
        await self.gate.wait()
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(self.data)}\r\n\r\n".encode()
        writer.write(self.first.pop(0) if self.first else head + self.data)
        writer.close()

    async def asked(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.was_asked.wait()


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[FileServer]:
    files = FileServer(folder)
    server = await asyncio.start_server(files.answer, "127.0.0.1", 0)
    files.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v.mp4"
    try:
        yield files
    finally:
        files.gate.set()
        server.close()


async def create(world: World, *links: str, **changes: Any) -> str:
    answers = [
        orchestrator_pb2.AnswerInput(link=link, question=f"Q{place}?", position=10 * place)
        for place, link in enumerate(links, start=1)
    ]
    return await world.create(answers=answers, **changes)


def stages(session: Any, place: int = 1) -> dict[str, Any]:
    return {stage.stage: stage for stage in session.answers[place - 1].stages}
