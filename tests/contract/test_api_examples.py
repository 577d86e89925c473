"""Examples made from the API's description: no 5xx, no undocumented status, nothing against its schema."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis.store import MediaStore
from gateway.app import create_app
from gateway.orchestrator_client import OrchestratorClient
from gateway.settings import GatewaySettings
from tests.api_examples import Examples, FinishingOrchestrator, Outcome
from tests.fakes.recording import make_recording
from tests.folders import ROOT
from tests.gateway_bench import MP4, Bench, form, listening, videos
from tests.world import PATIENCE_S, running

# The gateway's threads of this process draw random numbers while examples are made.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

GOLDEN: dict[str, Any] = json.loads(
    (ROOT / "tests" / "unit" / "orchestrator" / "result" / "golden.json").read_text()
)
EXAMPLE_COUNT = int(os.environ.get("INTERVIEW_API_EXAMPLE_COUNT", "5"))
"""Requests to each operation. 250 make about 5,000 in all."""
TIMEOUT_S = 240 if EXAMPLE_COUNT <= 5 else 3600


def check(outcome: Outcome) -> None:
    """Assert that every answer was as described. Run with `-s`, it shows how many there were."""
    shown = f"{outcome.request_count} requests: {dict(sorted(outcome.statuses.items()))}"
    print(shown)  # noqa: T201
    assert outcome.failures == []
    assert outcome.statuses[200] > 0


def upload(url: str, recording: bytes) -> str:
    accepted = httpx.post(f"{url}/upload", files=videos(recording), data=form("Why?"), timeout=60)
    return str(accepted.json()["session_id"])


@pytest.mark.timeout(TIMEOUT_S)
def test_whatever_is_sent_is_answered_as_described(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FinishingOrchestrator(), max_file_bytes=100_000)

    with listening(bench.app) as url:
        session_ids = [upload(url, MP4) for _ in range(3)]
        bench.orchestrator.finish(session_ids[0], GOLDEN)
        outcome = Examples(bench.app.openapi(), url, session_ids).try_all(EXAMPLE_COUNT)

    check(outcome)


@pytest.mark.e2e
@pytest.mark.anyio
@pytest.mark.timeout(TIMEOUT_S)
async def test_whatever_is_sent_is_answered_as_described_by_the_real_orchestrator_too(tmp_path: Path) -> None:
    recording = make_recording(tmp_path / "recording.mp4", seconds=1.0).read_bytes()
    async with running(tmp_path) as world:
        settings = GatewaySettings(rate_limit_uploads="", spool_dir=tmp_path / "spool")
        store = MediaStore((tmp_path / "store").as_uri())
        app = create_app(settings, OrchestratorClient(world.address, 30.0), store)

        def try_all() -> Outcome:
            with listening(app) as url:
                session_ids = [upload(url, recording) for _ in range(3)]
                httpx.get(f"{url}/sessions/{session_ids[0]}/events", timeout=PATIENCE_S)  # until its end
                return Examples(app.openapi(), url, session_ids).try_all(EXAMPLE_COUNT)

        outcome = await asyncio.to_thread(try_all)

    check(outcome)
