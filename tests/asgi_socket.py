"""A WebSocket client of an application in this process."""

from __future__ import annotations

import asyncio
import json
from typing import Any


async def messages_of(app: Any, path: str, headers: dict[str, str]) -> list[Any]:
    """Open a WebSocket, and return what is sent until the application closes it, with the close code last."""
    given: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    given.put_nowait({"type": "websocket.connect"})
    received: list[Any] = []

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            received.append(json.loads(message["text"]))
        elif message["type"] == "websocket.close":
            received.append(message["code"])
            given.put_nowait({"type": "websocket.disconnect", "code": message["code"]})
        elif message["type"] == "websocket.http.response.start":
            received.append(message["status"])
        elif message["type"] == "websocket.http.response.body":
            received.append(json.loads(message["body"]))

    path, _, query = path.partition("?")
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 7860),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    await app(scope, given.get, send)
    return received
