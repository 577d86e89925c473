"""S3 that refuses: the reason is named and nothing secret is shown. And addresses for clients."""

from __future__ import annotations

import logging

import httpx
import pytest

from chassis.errors import UnavailableError
from chassis.store import MediaStore
from tests.s3_servers import ACCESS_KEY_ID, SECRET_ACCESS_KEY, S3Server
from tests.tcp_proxy import Proxy

pytestmark = pytest.mark.anyio

KEY = "sessions/1/media/1.mp4"
REFUSED = (
    b"<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>"
    + ACCESS_KEY_ID.encode()
    + b"</AWSAccessKeyId>"
    b"<StringToSign>AWS4-HMAC-SHA256</StringToSign></Error>"
)


def http_answer(status: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize("status", ["403 Forbidden", "401 Unauthorized", "400 Bad Request"])
async def test_refused_credentials_are_named_and_not_shown(
    store: MediaStore, proxy: Proxy, caplog: pytest.LogCaptureFixture, status: str
) -> None:
    caplog.set_level(logging.DEBUG)
    proxy.troubles.answers = [http_answer(status, REFUSED)] * 20

    with pytest.raises(UnavailableError) as caught:
        await store.put_bytes("a", b"data")

    assert caught.value.reason == "STORE_REFUSED"
    said = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__suppress_context__} {caplog.text}"
    said += " ".join(str(vars(record)) for record in caplog.records)
    for secret in (ACCESS_KEY_ID, SECRET_ACCESS_KEY, "AWS4-HMAC"):
        assert secret not in said
    assert caught.value.__suppress_context__


async def test_a_missing_bucket_is_not_a_missing_recording(server: S3Server) -> None:
    store = server.store("no-such-bucket")

    for asked in (
        store.size_bytes(KEY),
        store.get_bytes(KEY),
        store.list("sessions"),
        store.put_bytes("a", b"b"),
    ):
        with pytest.raises(UnavailableError) as caught:
            await asked
        assert caught.value.reason == "STORE_REFUSED"


async def test_a_server_that_is_away_is_unavailable(server: S3Server, bucket: str) -> None:
    store = server.store(bucket, "http://127.0.0.1:9", retry_count=1)

    with pytest.raises(UnavailableError) as caught:
        await store.size_bytes(KEY)

    assert caught.value.reason == "STORE_UNAVAILABLE"


async def test_a_signed_address_gives_ranges_without_credentials(near: MediaStore) -> None:
    await near.put_bytes(KEY, b"0123456789")

    address = await near.signed_url(KEY, 60)

    assert address is not None
    assert SECRET_ACCESS_KEY not in address
    async with httpx.AsyncClient() as client:
        answer = await client.get(address, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")


async def test_a_signed_address_may_have_another_host(server: S3Server, bucket: str) -> None:
    store = server.store(bucket, public_endpoint_url="https://media.example.org")

    address = await store.signed_url(KEY, 60)

    assert address is not None
    assert address.startswith(f"https://media.example.org/{bucket}/some/prefix/{KEY}?")
