"""Walks a session with the generated client, in a Python of its own that knows nothing of the product.

It is called with the folder of the generated package, the gateway's address, a recording and the result that
the session will have. It prints what it found as one line of JSON.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGE = "generated_interview_client"


def part(name: str) -> ModuleType:
    """Return a module of the generated package."""
    return importlib.import_module(f"{PACKAGE}.{name}")


def answered(operation: str, client: Any, *path: Any, **told: Any) -> Any:
    """Call an operation of the generated client, and return what it made of the answer."""
    reply = part(f"api.{operation}").sync_detailed(*path, client=client, **told)
    if reply.status_code != 200 or reply.parsed is None:
        raise SystemExit(f"{operation}: {reply.status_code} {reply.content!r}")
    return reply.parsed


def walk(url: str, recording: bytes) -> dict[str, Any]:
    """Upload a recording, follow its session to its end, read all there is of it, and delete it."""
    client = part("client").AuthenticatedClient(
        base_url=url, token="a-key", prefix="", auth_header_name="X-API-Key", timeout=30
    )
    with client:
        body = part("models").UploadBody(
            videos=[part("types").File(recording, "answer.mp4", "video/mp4")],
            questions=["Why?"],
            candidate_name="A",
            language="en",
        )
        session_id = answered("upload.upload", client, body=body).session_id
        events = answered("sessions.events", client, session_id)
        found = {
            "session_id": session_id,
            "events": str(events),
            "status": str(answered("sessions.status", client, session_id).status),
            "result": answered("sessions.results", client, session_id).to_dict(),
            "recording": answered("sessions.media", client, session_id, 1).payload.read() == recording,
            "listed": [one.session_id for one in answered("sessions.list_sessions", client).sessions],
            "languages": list(answered("upload.languages", client).languages),
            "deleted": answered("sessions.delete", client, session_id).success,
        }
        gone = part("api.sessions.status").sync_detailed(session_id, client=client)
        return found | {"gone": [int(gone.status_code), gone.parsed.code]}


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    sys.stdout.write(json.dumps(walk(sys.argv[2], Path(sys.argv[3]).read_bytes())))
