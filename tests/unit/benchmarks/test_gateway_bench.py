"""The gateway's benchmark: its orchestrator takes what the gateway asks of it, and failed work ends it."""

from __future__ import annotations

import pytest

from benchmarks.gateway.load import SETTINGS, open_stream, upload
from benchmarks.gateway.measure import SERVERS, cost_of


async def one_of_each(port: int) -> None:
    stream = await open_stream(port)
    await upload(port)
    stream.close()


async def failing(_port: int) -> None:
    raise RuntimeError("the work failed")


def test_an_upload_and_an_event_stream_pass_and_the_server_says_what_they_cost() -> None:
    cost = cost_of(SERVERS[0], one_of_each, SETTINGS)

    assert cost.cpu_s > 0
    assert cost.peak_rss_mib > 0


def test_failed_work_ends_the_server_and_is_said() -> None:
    with pytest.raises(RuntimeError, match="the work failed"):
        cost_of(SERVERS[0], failing, SETTINGS)
