"""Recordings on S3 for the player: through the gateway, or at a signed address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.app import create_app
from gateway.settings import GatewaySettings
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import MP4, form, videos
from tests.s3_servers import SECRET_ACCESS_KEY, S3Server

pytestmark = pytest.mark.anyio


def client_of(server: S3Server, bucket: str, folder: Path, **told: Any) -> httpx.AsyncClient:
    settings = GatewaySettings(spool_dir=folder, **told)
    app = create_app(settings, FakeOrchestrator(), server.store(bucket))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:7860")


async def uploaded(client: httpx.AsyncClient) -> str:
    accepted = await client.post("/upload", files=videos(MP4), data=form("Why?"))
    return str(accepted.json()["session_id"])


async def test_the_gateway_plays_what_lies_on_s3(server: S3Server, bucket: str, tmp_path: Path) -> None:
    async with client_of(server, bucket, tmp_path) as client:
        session_id = await uploaded(client)
        whole = await client.get(f"/media/{session_id}/1")
        part = await client.get(f"/media/{session_id}/1", headers={"Range": "bytes=4-11"})

    assert (whole.status_code, whole.content) == (200, MP4)
    assert (part.status_code, part.content) == (206, MP4[4:12])


async def test_a_player_is_sent_to_s3_where_the_operator_wants_that(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    async with client_of(server, bucket, tmp_path, media_delivery="redirect") as client:
        sent = await client.get(f"/media/{await uploaded(client)}/1", headers={"Range": "bytes=4-11"})
        page = await client.get("/")

    assert sent.status_code == 307
    assert "no-store" in sent.headers["Cache-Control"]
    address = sent.headers["Location"]
    assert SECRET_ACCESS_KEY not in address
    async with httpx.AsyncClient() as player:
        part = await player.get(address, headers={"Range": "bytes=4-11"})
    assert (part.status_code, part.content) == (206, MP4[4:12])
    assert f"media-src 'self' {server.endpoint_url};" in page.headers["Content-Security-Policy"]


async def test_a_recording_of_no_session_gets_no_address(
    server: S3Server, bucket: str, tmp_path: Path
) -> None:
    async with client_of(server, bucket, tmp_path, media_delivery="redirect") as client:
        answer = await client.get(f"/media/{'1' * 32}/1")

    assert (answer.status_code, answer.json()["code"]) == (404, "SESSION_NOT_FOUND")
