"""What a refused caller reads, and what the log says of it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from chassis import api_keys
from tests.gateway_bench import Bench, api_key

pytestmark = pytest.mark.anyio


async def test_too_many_wrong_keys_are_answered_with_when_to_come_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret"),), rate_limit_wrong_keys="2/minute")

    replies = [await bench.http.get("/sessions", headers={"X-API-Key": f"{n}"}) for n in range(3)]
    login = await bench.http.post("/login", headers={"X-API-Key": "9"})

    assert [reply.status_code for reply in (*replies, login)] == [403, 403, 429, 429]
    assert replies[-1].json()["code"] == "TOO_MANY_WRONG_KEYS"
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 60


async def test_a_refused_key_is_logged_with_its_address_and_reason_and_never_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("reader", scopes=("read",)), api_key("s3cret", "root")))
    with caplog.at_level(logging.INFO):
        for path, key in (("/metrics", "guess"), ("/sessions", "reader"), ("/metrics", "s3cret")):
            await bench.http.get(path, headers={"X-API-Key": key})

    told = [vars(record) for record in caplog.records]
    refused = [line for line in told if line["msg"] == "a caller was refused"]
    assert [(line["reason"], line["client"]) for line in refused] == [
        ("API_KEY_INVALID", ""),
        ("API_KEY_SCOPE_MISSING", "key:team"),
    ]
    assert all(line["address"] == "127.0.0.1" and line["levelname"] == "WARNING" for line in refused)
    requests = [line.get("client", "") for line in told if line["msg"] == "request"]
    assert requests == ["", "", "key:root"]
    for secret in ("guess", "reader", "s3cret", api_keys.digest_of("s3cret")):
        assert secret not in repr(told)


async def test_a_key_in_an_address_is_no_key(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret"),))

    for name in ("key", "api_key", "X-API-Key", "x-api-key", "interview_reader", "access_token"):
        reply = await bench.http.get(f"/sessions?{name}=s3cret")
        assert (reply.status_code, reply.json()["code"]) == (403, "API_KEY_INVALID"), name
