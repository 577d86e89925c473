"""The disk and the store that uploads need: full, unwritable, or with leftovers of a killed process."""

from __future__ import annotations

import asyncio
import errno
import shutil
import time
from pathlib import Path

import pytest

from chassis.errors import UnavailableError
from chassis.scratch import PREFIX, scratch_folder, sweeping_folders
from chassis.store import MediaStore
from gateway.errors import http_status, to_response
from gateway.readiness import PROBE_FRESH_S, Readiness
from gateway.uploads.forms import spool_errors
from tests.fakes.orchestrator import FakeOrchestrator
from tests.gateway_bench import MP4, Bench, form, videos

pytestmark = pytest.mark.anyio


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def spoil(folder: Path) -> None:
    """Put a file where a folder should be. That stops root as well, unlike a mode."""
    shutil.rmtree(folder)
    folder.write_bytes(b"")


async def test_a_spool_that_cant_be_written_is_said(bench: Bench) -> None:
    spoil(bench.spool_dir)

    reply = await bench.http.post("/upload", files=videos(MP4), data=form("?"))

    assert (reply.status_code, reply.json()["code"]) == (503, "SPOOL_UNAVAILABLE")
    assert reply.headers["Retry-After"] == "60"
    assert not bench.orchestrator.drafts


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_spool_is_insufficient_storage_and_no_fault_of_ours(number: int) -> None:
    with pytest.raises(UnavailableError) as raised, spool_errors():
        raise OSError(number, "no space")

    assert raised.value.reason == "SPOOL_FULL"
    assert http_status(raised.value) == 507
    assert to_response(raised.value).headers["Retry-After"] == "60"


@pytest.mark.parametrize("spoilt", ["spool_dir", "store_dir"])
async def test_ready_means_that_store_and_spool_can_be_written(tmp_path: Path, spoilt: str) -> None:
    bench = Bench(tmp_path)
    before = await Bench(tmp_path).http.get("/readyz")
    spoil(getattr(bench, spoilt))

    reply = await bench.http.get("/readyz")

    assert before.status_code == 200
    assert reply.status_code == 503
    assert reply.json()["code"].startswith(spoilt.removesuffix("_dir").upper())
    assert "Retry-After" in reply.headers


async def test_a_spool_with_too_little_space_is_not_ready(tmp_path: Path) -> None:
    store = MediaStore((tmp_path / "store").as_uri())
    readiness = Readiness(FakeOrchestrator(), store, tmp_path, min_free_bytes=1 << 62)

    with pytest.raises(UnavailableError) as raised:
        await readiness.check()

    assert raised.value.reason == "SPOOL_FULL"


async def test_whoever_asks_often_writes_seldom(tmp_path: Path) -> None:
    now_s = 0.0
    store = MediaStore((tmp_path / "store").as_uri())
    readiness = Readiness(FakeOrchestrator(), store, tmp_path, 0, clock=lambda: now_s)
    await readiness.check()
    spoil(tmp_path / "store")

    await readiness.check()
    now_s = PROBE_FRESH_S
    with pytest.raises(UnavailableError):
        await readiness.check()


@pytest.mark.parametrize(
    "path", ["/status/" + "a" * 32, "/sessions", "/readyz", "/sessions/" + "a" * 32 + "/events"]
)
async def test_every_503_says_when_to_come_back(bench: Bench, path: str) -> None:
    bench.orchestrator.failure = UnavailableError("Away.", reason="UNAVAILABLE")

    reply = await bench.http.get(path)

    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "30")


async def test_left_folders_go_while_the_process_runs_and_live_ones_stay(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as live:
        async with sweeping_folders(tmp_path, interval_s=0.01):
            left = tmp_path / f"{PREFIX}left"
            left.mkdir()
            (left / "1").write_bytes(b"a candidate")
            deadline_s = time.monotonic() + 60
            while left.exists():
                assert time.monotonic() < deadline_s
                await asyncio.sleep(0.01)

        assert live.exists()
