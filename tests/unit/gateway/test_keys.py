"""Who is let in, with what, and for how long."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis import api_keys
from chassis.api_keys import Scope
from chassis.errors import ExhaustedError, ForbiddenError
from chassis.key_file import changing
from gateway.auth import Credentials, KeyRing
from gateway.callers import Client
from gateway.guesses import wrong_keys
from gateway.known_keys import KeySource
from gateway.rates import Rates
from gateway.reader_cookie import COOKIE, ReaderCookies
from tests.gateway_bench import MP4, Bench, api_key, form, videos

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "s" * 32
KEY = {"X-API-Key": "s3cret"}


class Clock:
    """Goes forward when the test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def ring(
    *keys: Any, file: Path | None = None, now: Callable[[], datetime] = lambda: NOW, rate: str = ""
) -> KeyRing:
    source, cookies = KeySource(keys, file, interval_s=0), ReaderCookies([SECRET.encode()], 600)
    return KeyRing(source, cookies, wrong_keys(Rates(), rate), now=now)


def shown(key: str | None = None, cookie: str | None = None) -> Credentials:
    return Credentials("192.0.2.1", key, cookie)


async def refusal(of: KeyRing, given: Credentials, scope: Scope = "read") -> str:
    with pytest.raises(ForbiddenError) as raised:
        await of.let_in(given, scope)
    return raised.value.reason


def made(file: Path, name: str, **values: Any) -> str:
    """Put a new key into a file, and return it."""
    with changing(file) as kept:
        options: dict[str, Any] = {"now": NOW, "scopes": ("submit", "read")} | values
        kept.book, key = api_keys.created(kept.book, name, **options)
    return key


async def test_with_keys_everything_but_health_and_the_empty_page_needs_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret"),))
    session_id = "0" * 32

    for path in (
        f"/status/{session_id}",
        f"/results/{session_id}",
        "/sessions",
        f"/media/{session_id}/1",
        "/metrics",
    ):
        reply = await bench.http.get(path)
        assert (reply.status_code, reply.json()["detail"]) == (403, "Invalid or missing API Key")
    refused = await bench.http.post("/upload", files=videos(MP4), data=form("?"))
    let_in = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEY)

    assert refused.status_code == 403
    assert let_in.status_code == 200
    assert (await bench.http.get("/healthz")).status_code == 200


async def test_a_browsers_cookie_reads_only_and_never_holds_the_key(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret", scopes=("submit", "read", "manage")),))
    upload = await bench.http.post("/upload", files=videos(MP4), data=form("?"), headers=KEY)
    session_id = upload.json()["session_id"]

    wrong = await bench.http.post("/login", headers={"X-API-Key": "guess"})
    right = await bench.http.post("/login", headers=KEY)
    set_cookie = next(line for line in right.headers.get_list("Set-Cookie") if line.startswith(COOKIE))

    assert (wrong.status_code, right.status_code) == (403, 204)
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=1800"} <= set(set_cookie.split("; "))
    assert "Secure" not in set_cookie
    assert "s3cret" not in set_cookie
    assert api_keys.digest_of("s3cret") not in set_cookie
    assert (await bench.http.get(f"/status/{session_id}")).status_code == 200
    assert (await bench.http.get(f"/media/{session_id}/1")).status_code == 200
    for method, path in (
        ("POST", f"/sessions/{session_id}/cancel"),
        ("POST", f"/sessions/{session_id}/hold"),
        ("DELETE", f"/sessions/{session_id}"),
        ("POST", "/upload"),
        ("POST", "/login"),
        ("GET", "/sessions"),
    ):
        assert (await bench.http.request(method, path)).status_code == 403, path


async def test_a_cookie_travels_over_https_alone_once_it_was_set_there(tmp_path: Path) -> None:
    bench = Bench(tmp_path, api_keys=(api_key("s3cret"),))

    reply = await bench.http.post("https://127.0.0.1:7860/login", headers=KEY)

    assert "Secure" in reply.headers.get_list("Set-Cookie")[-1]


async def test_a_cookie_ends_with_its_time_and_with_its_key(tmp_path: Path) -> None:
    file, clock = tmp_path / "keys.json", Clock()
    key = made(file, "ana")
    keys = ring(file=file, now=clock)
    value, lifetime_s = keys.cookie_for(await keys.let_in(shown(key), "read"))
    other_replica = ring(file=file, now=clock)

    assert (await other_replica.let_in(shown(cookie=value), "read")).name == "key:ana"
    assert await refusal(keys, shown(cookie=value), "submit") == "API_KEY_SCOPE_MISSING"
    assert await refusal(keys, shown(key="wrong", cookie=value)) == "API_KEY_INVALID"
    later = f"{int(value.split('.')[0]) + 1}.{value.split('.')[1]}"
    for forged in (later, value[:-1], "", ".", f"{value}0", key):
        assert await refusal(keys, shown(cookie=forged)) == "API_KEY_INVALID"
    clock.now += timedelta(seconds=lifetime_s)
    assert await refusal(keys, shown(cookie=value)) == "API_KEY_INVALID"

    clock.now = NOW
    with changing(file) as kept:
        kept.book = api_keys.revoked(kept.book, "ana", now=NOW)
    assert await refusal(other_replica, shown(cookie=value)) == "API_KEY_INVALID"


def test_a_secret_of_cookies_can_be_replaced_without_signing_everybody_out() -> None:
    digest, old, new, other = "a" * 64, b"o" * 32, b"n" * 32, b"x" * 32
    value = ReaderCookies([old], 60).made_for(digest, NOW)

    assert ReaderCookies([new, old], 60).is_from(value, digest, NOW)
    assert not ReaderCookies([new], 60).is_from(value, digest, NOW)
    assert not ReaderCookies([old], 60).is_from(value, "b" * 64, NOW)
    assert not ReaderCookies([other], 60).is_from(value, digest, NOW)


async def test_a_key_ends_with_its_expiry_and_its_scopes() -> None:
    old = api_key("old", expires=NOW - timedelta(seconds=1))
    keys = ring(old, api_key("reader", scopes=("read",)), api_key("root", "ops", scopes=("admin",)))

    assert (await keys.let_in(shown("reader"), "read")).name == "key:team"
    assert (await keys.let_in(shown("root"), "submit")).groups is None
    assert await refusal(keys, shown("old")) == "API_KEY_INVALID"
    assert await refusal(keys, shown("reader"), "submit") == "API_KEY_SCOPE_MISSING"
    assert await refusal(keys, shown("reader"), "admin") == "API_KEY_SCOPE_MISSING"


async def test_a_key_with_a_slip_is_told_from_one_that_nobody_knows(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = made(file, "ana")
    keys = ring(file=file)
    slip = key[:-10] + ("a" if key[-10] != "a" else "b") + key[-9:]

    assert await refusal(keys, shown(slip)) == "API_KEY_MISTYPED"
    assert await refusal(keys, shown(key[:-1])) == "API_KEY_MISTYPED"
    assert await refusal(keys, shown(api_keys.new_key())) == "API_KEY_INVALID"


async def test_a_key_that_is_made_rotated_or_revoked_counts_without_a_restart(tmp_path: Path) -> None:
    file, clock = tmp_path / "keys.json", Clock()
    replicas = [ring(file=file, now=clock) for _ in range(2)]
    assert not replicas[0].open  # A file that is named lets nobody in before it holds a key.
    assert await refusal(replicas[0], shown(None)) == "API_KEY_INVALID"

    first = made(file, "ana")
    for keys in replicas:
        client = await keys.let_in(shown(first), "read")
        keys.check_still_in(client)
        assert client.group == "ana"
    with changing(file) as kept:
        kept.book, second = api_keys.rotated(kept.book, "ana", now=NOW, grace=timedelta(hours=1))
    assert (await replicas[0].let_in(shown(first), "read")).name == "key:ana"
    assert (await replicas[0].let_in(shown(second), "read")).name == "key:ana"
    clock.now += timedelta(hours=1)
    assert await refusal(replicas[0], shown(first)) == "API_KEY_INVALID"
    assert (await replicas[0].let_in(shown(second), "read")).name == "key:ana"
    with changing(file) as kept:
        kept.book = api_keys.revoked(kept.book, "ana", now=clock.now)
    for keys in replicas:
        assert await refusal(keys, shown(second)) == "API_KEY_INVALID"
        with pytest.raises(ForbiddenError):
            keys.check_still_in(client)


async def test_a_file_that_breaks_keeps_the_keys_and_one_that_goes_ends_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "keys.json"
    key = made(file, "ana")
    keys = ring(file=file)
    await keys.let_in(shown(key), "read")

    with caplog.at_level(logging.ERROR):
        file.write_text("{")
        await keys.let_in(shown(key), "read")
        await keys.let_in(shown(key), "read")
    file.unlink()

    assert len(caplog.records) == 1
    assert await refusal(keys, shown(key)) == "API_KEY_INVALID"
    assert not keys.open


def test_a_gateway_that_knows_no_key_says_at_its_start_that_it_refuses_everybody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "misspelt.json"

    Bench(tmp_path, keys_file=file)
    warned = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    made(file, "ana")
    caplog.clear()
    Bench(tmp_path, keys_file=file)

    assert any("interview keys create" in message and str(file) in message for message in warned)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_nothing_that_is_logged_or_shown_of_a_client_holds_its_key(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = made(file, "ana")
    source = KeySource((api_key("s3cret"),), file, interval_s=0)

    told = repr(source.known()) + repr(shown(key, "cookie"))

    for secret in (key, "s3cret", "cookie=", api_keys.digest_of(key), api_keys.digest_of("s3cret")):
        assert secret not in told
    assert key not in json.dumps(file.read_text())


async def test_wrong_keys_of_an_address_are_limited_even_where_the_next_one_is_right(tmp_path: Path) -> None:
    keys = ring(api_key("hunter2"), file=tmp_path / "keys.json", rate="3/minute")
    ours = made(tmp_path / "keys.json", "ana")
    for number in range(3):
        assert await refusal(keys, shown(f"guess {number}")) == "API_KEY_INVALID"

    for key in ("guess 3", "hunter2", api_keys.new_key()):
        with pytest.raises(ExhaustedError) as raised:
            await keys.let_in(shown(key), "read")
        assert raised.value.reason == "TOO_MANY_WRONG_KEYS"
        assert 0 < (raised.value.retry_after_s or 0) <= 60
    assert (await keys.let_in(shown(ours), "read")).name == "key:ana"  # It can't be guessed.
    assert (await keys.let_in(Credentials("192.0.2.2", "hunter2"), "read")).name == "key:team"
    assert await refusal(keys, shown(None)) == "API_KEY_INVALID"  # Nothing shown is no guess.


async def test_addresses_of_one_ipv6_network_are_one_guesser() -> None:
    keys = ring(api_key("hunter2"), rate="2/minute")
    for number in range(2):
        assert await refusal(keys, Credentials(f"2001:db8::{number}", "guess")) == "API_KEY_INVALID"

    with pytest.raises(ExhaustedError):
        await keys.let_in(Credentials("2001:db8::ffff:1", "hunter2"), "read")
    assert await keys.let_in(Credentials("2001:db8:0:1::1", "hunter2"), "read")


def test_a_stream_of_somebody_whose_sign_in_is_over_tells_nothing_more() -> None:
    clock = Clock()
    keys, client = ring(now=clock), Client("person:1", end=NOW + timedelta(seconds=1))
    keys.check_still_in(client)
    clock.now += timedelta(seconds=1)

    with pytest.raises(ForbiddenError) as raised:
        keys.check_still_in(client)

    assert raised.value.reason == "SIGN_IN_ENDED"
