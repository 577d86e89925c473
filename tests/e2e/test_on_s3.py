"""A session through all seven processes with its media on S3 (moto), from the upload to its last byte."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demo_command import ROOT
from tests.e2e.system import SESSION_TIMEOUT_S, System, running_system
from tests.s3_servers import ACCESS_KEY_ID, SECRET_ACCESS_KEY, S3Server, moto_server

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

CLIP = ROOT / "demo" / "answer-1.mp4"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def bucket(server: S3Server) -> str:
    return server.new_bucket()


@pytest.fixture(scope="module")
def system(server: S3Server, bucket: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("s3")
    with running_system(folder, f"s3://{bucket}/some/prefix", server.environment()) as system:
        yield system


def finished(system: System, session_id: str) -> str:
    deadline_s = time.monotonic() + SESSION_TIMEOUT_S
    while (state := system.http.get(f"/status/{session_id}").json()["status"]) not in ("completed", "failed"):
        assert time.monotonic() < deadline_s, "the session did not end"
        time.sleep(0.5)
    return str(state)


def of_sessions(server: S3Server, bucket: str) -> list[str]:
    """Return the keys of all that came of sessions. The mark of a deleted one stays."""
    found = [item.key for item in asyncio.run(server.store(bucket).list(""))]
    return [key for key in found if not key.startswith(("deleted/", "gateway/"))]


def test_a_session_on_s3_is_assessed_played_and_deleted_without_a_trace(
    system: System, server: S3Server, bucket: str
) -> None:
    session_id = system.upload(CLIP).json()["session_id"]

    assert finished(system, session_id) == "completed"
    stages = system.http.get(f"/results/{session_id}").json()["results"][0]["stages"]
    assert stages["transcribe"]["state"] == stages["vision"]["state"] == stages["speaker"]["state"]
    clip = CLIP.read_bytes()
    played = system.http.get(f"/media/{session_id}/1")
    assert hashlib.sha256(played.content).digest() == hashlib.sha256(clip).digest()
    part = system.http.get(f"/media/{session_id}/1", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, clip[1000:2000])

    assert of_sessions(server, bucket)
    assert system.http.delete(f"/sessions/{session_id}").status_code in (200, 204)

    assert of_sessions(server, bucket) == []
    assert server.unfinished_upload_count(bucket) == 0
    assert system.left_on_disk() == []


def test_no_log_of_a_process_holds_the_credentials(system: System) -> None:
    logs = "".join(path.read_text(errors="replace") for path in Path(system.folder / "logs").glob("*"))

    assert logs
    assert SECRET_ACCESS_KEY not in logs
    assert ACCESS_KEY_ID not in logs
