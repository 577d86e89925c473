"""Quick stages as a process of their own that misbehave when told to.

`python -m tests.fakes.wayward PORT COUNTS_FILE SECONDS`. The file `COUNTS_FILE.mood` says how the next calls
go: `hang` (no answer), `slow` (three times as long), `garbage` (bytes that are no message), `hollow` (a reply
without its content), `nan` (numbers that are none), anything else: well. Each call writes two lines to the
counts file: `+STAGE SESSION TIME` when it begins and `-STAGE SESSION TIME` when it has answered.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc

from chassis.interceptors import SESSION_ID_KEY
from tests.fakes.servers import FakeServers

STAGES = {
    "Transcribe": "transcribe",
    "Translate": "translate",
    "Assess": "assess",
    "Analyze": "vision",
    "Diarize": "speaker",
}
"""Names of the stages by the services' methods."""
GARBAGE = b"\xff\xfe\x00 this is no message \xff"


class Mood(grpc.aio.ServerInterceptor):
    """Counts calls, and spoils them as the mood's file says.

    Args:
        counts: The file of the counts.
        seconds: How long a call takes by itself.
    """

    def __init__(self, counts: Path, seconds: float) -> None:
        self._counts = counts
        self._seconds = seconds

    def _note(self, sign: str, method: str, session_id: str) -> None:
        with self._counts.open("a") as file:
            file.write(f"{sign}{STAGES[method]} {session_id} {time.time():.3f}\n")

    def _mood(self) -> str:
        mood = Path(f"{self._counts}.mood")
        return mood.read_text() if mood.exists() else ""

    async def _suffer(self) -> str:
        """Return the mood, after what it costs before the answer."""
        now = self._mood()
        if now == "hang":
            await asyncio.Event().wait()
        if now == "slow":
            await asyncio.sleep(2 * self._seconds)
        return now

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler: Any = await continuation(handler_call_details)
        method = handler_call_details.method.rpartition("/")[2]
        if handler is None or method not in STAGES:
            return handler
        session_id = str(dict(handler_call_details.invocation_metadata).get(SESSION_ID_KEY, "?"))
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(
                self._streamed(handler, method, session_id), handler.request_deserializer, written
            )
        return grpc.unary_unary_rpc_method_handler(
            self._single(handler, method, session_id), handler.request_deserializer, written
        )

    def _streamed(self, handler: Any, method: str, session_id: str) -> Any:
        async def serve(requests: Any, context: Any) -> AsyncIterator[Any]:
            self._note("+", method, session_id)
            mood = await self._suffer()
            async for reply in handler.stream_stream(requests, context):
                yield spoilt(reply, mood)
            self._note("-", method, session_id)

        return serve

    def _single(self, handler: Any, method: str, session_id: str) -> Any:
        async def serve(request: Any, context: Any) -> Any:
            self._note("+", method, session_id)
            mood = await self._suffer()
            reply = spoilt(await handler.unary_unary(request, context), mood)
            self._note("-", method, session_id)
            return reply

        return serve


def spoilt(reply: Any, mood: str) -> Any:
    """Return a reply as the mood wants it."""
    if mood == "garbage":
        return GARBAGE
    if mood == "hollow":
        return type(reply)()
    return poisoned(reply) if mood == "nan" else reply


def poisoned(message: Any) -> Any:
    """Return a copy whose every number with a point is not a number, in each message inside too."""
    copy = type(message)()
    copy.CopyFrom(message)
    _poison(copy)
    return copy


def _poison(message: Any) -> None:
    for field, value in message.ListFields():
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.label == field.LABEL_REPEATED else [value]:
                _poison(inner)
        elif field.cpp_type == field.CPPTYPE_DOUBLE and field.label != field.LABEL_REPEATED:
            setattr(message, field.name, float("nan"))


def written(reply: Any) -> bytes:
    """Return what goes over the wire."""
    return reply if isinstance(reply, bytes) else bytes(reply.SerializeToString())


async def _serve(port: int, counts: Path, seconds: float) -> None:
    options = [("grpc.so_reuseport", 0)]
    mood = Mood(counts, seconds)
    server = grpc.aio.server(futures.ThreadPoolExecutor(2), interceptors=[mood], options=options)
    FakeServers(Path(f"{counts}.answers"), seconds).add_to(server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
