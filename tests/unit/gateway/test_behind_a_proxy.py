"""A company behind one Ingress: each client has its own share, and no header takes another one's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway_bench import MP4, Bench, api_key, form, videos

pytestmark = pytest.mark.anyio

INGRESS, SIDECAR = "10.0.0.7", "10.0.0.8"


class Company:
    """A gateway behind an Ingress, that accepts one upload an hour of each client."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        values = {"rate_limit_uploads": "1/hour", "trusted_proxies": ("10.0.0.0/8",)} | settings
        self.bench = Bench(folder, **values)

    async def upload(self, recording: bytes = MP4, *, peer: str = INGRESS, **headers: str) -> int:
        transport = httpx.ASGITransport(self.bench.app, client=(peer, 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860") as http:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            reply = await http.post("/upload", files=videos(recording), data=form("?"), headers=named)
            return reply.status_code


async def test_clients_behind_one_proxy_have_a_share_each(tmp_path: Path) -> None:
    company = Company(tmp_path)

    assert await company.upload(X_Forwarded_For="192.0.2.1") == 200
    assert await company.upload(X_Forwarded_For="192.0.2.2") == 200
    assert await company.upload(X_Forwarded_For="192.0.2.1") == 429


async def test_without_the_setting_they_are_one_client(tmp_path: Path) -> None:
    company = Company(tmp_path, trusted_proxies=())

    assert await company.upload(X_Forwarded_For="192.0.2.1") == 200
    assert await company.upload(X_Forwarded_For="192.0.2.2") == 429


async def test_what_a_client_writes_before_the_proxy_is_not_believed(tmp_path: Path) -> None:
    company = Company(tmp_path)

    assert await company.upload(X_Forwarded_For="203.0.113.1, 192.0.2.1") == 200
    assert await company.upload(X_Forwarded_For="203.0.113.2, 192.0.2.1") == 429
    assert await company.upload(X_Forwarded_For=f"203.0.113.3, 192.0.2.1, {SIDECAR}") == 429


async def test_a_client_that_is_no_proxy_can_name_nobody_else(tmp_path: Path) -> None:
    company = Company(tmp_path)

    assert await company.upload(peer="192.0.2.9", X_Forwarded_For="192.0.2.1") == 200
    assert await company.upload(peer="192.0.2.9", X_Forwarded_For="192.0.2.2") == 429
    assert await company.upload(X_Forwarded_For="192.0.2.1") == 200


async def test_keys_count_by_key_whatever_the_address(tmp_path: Path) -> None:
    keys = (api_key("one", "hr"), api_key("two", "sales"))
    company = Company(tmp_path, api_keys=keys)

    assert await company.upload(X_API_Key="one", X_Forwarded_For="192.0.2.1") == 200
    assert await company.upload(X_API_Key="two", X_Forwarded_For="192.0.2.1") == 200
    assert await company.upload(X_API_Key="one", X_Forwarded_For="192.0.2.2") == 429


async def test_a_refused_upload_takes_nothing_of_the_share(tmp_path: Path) -> None:
    company = Company(tmp_path)

    assert await company.upload(MP4 + bytes(20_000), X_Forwarded_For="192.0.2.1") == 413
    assert await company.upload(X_Forwarded_For="192.0.2.1") == 200
    assert await company.upload(X_Forwarded_For="192.0.2.1") == 429
