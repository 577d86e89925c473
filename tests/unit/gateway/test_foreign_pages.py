"""What pages of other sites can't make a browser do, and whose address a proxy may tell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from gateway.foreign_pages import OwnNames
from gateway.settings import GatewaySettings
from tests.asgi_socket import messages_of
from tests.gateway_bench import Bench, api_key

pytestmark = pytest.mark.anyio

REBOUND = {"Host": "evil.example:7860", "Origin": "http://evil.example:7860"}
PUBLISHED: dict[str, Any] = {"host": "0.0.0.0", "allow_anonymous": True}  # noqa: S104
"""As in a container whose port is published on loopback."""
SESSION = f"/sessions/{'0' * 32}"


@pytest.mark.parametrize("listening", [{}, PUBLISHED])
async def test_a_foreign_name_that_points_here_is_refused_while_nobody_needs_a_key(
    tmp_path: Path, listening: dict[str, Any]
) -> None:
    bench = Bench(tmp_path, **listening)

    for method, path in (
        ("GET", "/sessions"),
        ("GET", f"/status/{'0' * 32}"),
        ("DELETE", SESSION),
        ("GET", "/"),
    ):
        reply = await bench.http.request(method, path, headers=REBOUND)
        assert (reply.status_code, reply.json()["code"]) == (421, "HOST_FORBIDDEN")
        assert "GATEWAY_ALLOWED_HOSTS" in reply.json()["message"]
    status, body = await messages_of(bench.app, f"/ws/{'0' * 32}", REBOUND)
    assert (status, body["code"]) == (421, "HOST_FORBIDDEN")
    for host in ("localhost:7860", "127.0.0.1:7860", "[::1]:7860", "192.0.2.7", "LOCALHOST."):
        assert (await bench.http.get("/sessions", headers={"Host": host})).status_code == 200, host


async def test_names_that_are_allowed_and_callers_with_keys_get_in(tmp_path: Path) -> None:
    named = Bench(tmp_path / "1", **PUBLISHED, allowed_hosts=("hr.example",))
    with_keys = Bench(tmp_path / "2", api_keys=(api_key("x"),))
    anyone = Bench(tmp_path / "3", **PUBLISHED, allowed_hosts=("*",))

    assert (await named.http.get("/sessions", headers={"Host": "HR.example:443"})).status_code == 200
    assert (await named.http.get("/healthz", headers={"Host": "10.1.2.3:7860"})).status_code == 200
    assert (await named.http.get("/healthz", headers={"Host": "evil.example"})).status_code == 421
    for bench in (with_keys, anyone):
        assert (await bench.http.get("/healthz", headers=REBOUND)).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost:80:80",
        "[::1",
        "1.2.3",
    ],
)
def test_what_only_looks_like_our_own_name_is_none(host: str) -> None:
    assert not OwnNames(()).include(host)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://[127.0.0.1:7860"},
        {"Origin": "127.0.0.1:7860"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_no_page_of_another_site_changes_anything(tmp_path: Path, headers: dict[str, str]) -> None:
    bench = Bench(tmp_path, **PUBLISHED)

    for method, path in (
        ("POST", f"{SESSION}/cancel"),
        ("DELETE", SESSION),
        ("POST", "/upload"),
        ("POST", "/login"),
    ):
        reply = await bench.http.request(method, path, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (403, "ORIGIN_FORBIDDEN")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://127.0.0.1:7860", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://localhost:5500", "Sec-Fetch-Site": "same-site"},  # the original's page
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_our_own_page_and_programs_do(tmp_path: Path, headers: dict[str, str]) -> None:
    bench = Bench(tmp_path, **PUBLISHED)

    reply = await bench.http.post(f"{SESSION}/cancel", headers=headers)

    assert (reply.status_code, reply.json()["code"]) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("198.51.100.9", "203.0.113.1", "198.51.100.9"),  # nobody's proxy
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.1, 10.0.0.2", "203.0.113.1"),  # the first one is the client's word
        ("10.0.0.1", "203.0.113.1:51000", "203.0.113.1"),
        ("fd00::1", "[2001:db8:1::5]:443", "2001:db8:1::5"),
        ("10.0.0.1", "2001:db8:1::5", "2001:db8:1::5"),
    ],
)
async def test_an_address_is_believed_from_named_proxies_only(
    tmp_path: Path, peer: str, forwarded: str, client: str
) -> None:
    bench = Bench(
        tmp_path,
        api_keys=(api_key("x"),),
        rate_limit_wrong_keys="1/minute",
        trusted_proxies=("10.0.0.0/8", "fd00::/8"),
    )

    async def status(address: str, **headers: str) -> int:
        transport = httpx.ASGITransport(bench.app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return (await http.get("/sessions", headers={"X-API-Key": "guess"} | headers)).status_code

    assert await status(peer, **{"X-Forwarded-For": forwarded}) == 403
    assert await status(client) == 429
    assert await status("203.0.113.250") == 403


async def test_https_is_believed_from_named_proxies_only(tmp_path: Path) -> None:
    for proxies, is_secure in (((), False), (("127.0.0.0/8",), True)):
        bench = Bench(tmp_path, api_keys=(api_key("x"),), trusted_proxies=proxies)
        reply = await bench.http.post("/login", headers={"X-API-Key": "x", "X-Forwarded-Proto": "https"})
        assert ("Secure" in reply.headers.get_list("Set-Cookie")[-1]) is is_secure


@pytest.mark.parametrize("values", [{"trusted_proxies": ("*",)}, {"forwarded_allow_ips": "127.0.0.1, proxy"}])
def test_proxies_are_named_by_address(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="GATEWAY_TRUSTED_PROXIES"):
        GatewaySettings(**values)


def test_the_earlier_name_of_the_setting_still_works() -> None:
    assert GatewaySettings(forwarded_allow_ips="127.0.0.1, 10.0.0.0/8").proxies == ("127.0.0.1", "10.0.0.0/8")
    assert GatewaySettings().proxies == ()


async def test_a_foreign_page_is_logged_by_the_reason_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path)
    await bench.http.get("/sessions", headers=REBOUND)
    await bench.http.post("/upload", headers={"Origin": "https://evil.example"})

    refused = [vars(record) for record in caplog.records if record.msg == "a caller was refused"]
    assert [line["reason"] for line in refused] == ["HOST_FORBIDDEN", "ORIGIN_FORBIDDEN"]
    assert [line["address"] for line in refused] == ["127.0.0.1", "127.0.0.1"]
    assert "evil" not in repr(refused)
