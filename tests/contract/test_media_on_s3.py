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
from tests.tcp_proxy import Proxy

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
        session_id = await uploaded(client)
        sent = await client.get(f"/media/{session_id}/1", headers={"Range": "bytes=4-11"})
        asked = await client.head(f"/media/{session_id}/1")
        page = await client.get("/")

    # A signed address works for one method. So a question is answered by the gateway.
    assert (asked.status_code, asked.headers["Content-Length"]) == (200, str(len(MP4)))
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


async def test_a_recording_that_cant_be_read_now_is_an_answer_and_not_a_body_cut_short(
    server: S3Server, bucket: str, proxy: Proxy, tmp_path: Path
) -> None:
    store = server.store(bucket, proxy.url, retry_count=0)
    app = create_app(GatewaySettings(spool_dir=tmp_path), FakeOrchestrator(), store)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as client:
        session_id = await uploaded(client)
        # A whole listing comes through, and the recording behind its head does not.
        proxy.troubles.break_answers_that_hold = MP4[:12]
        answer = await client.get(f"/media/{session_id}/1")

    assert (answer.status_code, answer.json()["code"]) == (503, "STORE_UNAVAILABLE")
    assert answer.headers["Retry-After"]
