"""A connection goes to a checked address, and its server proves the name of the link."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.errors import InterviewError
from tests.gateway_bench import MP4
from tests.link_server import LOOPBACK, downloader, fetch, http_reply, serving

pytestmark = pytest.mark.anyio

TO_ANOTHER_NAME = (
    b"HTTP/1.1 302 Found\r\nLocation: http://other.example:%d/v.mp4\r\nContent-Length: 0\r\n"
    b"Connection: keep-alive\r\n\r\n"
)


def certificate_for(name: str, folder: Path) -> Path:
    """Write a certificate that its owner signed, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


async def test_a_server_that_does_not_prove_the_links_name_is_asked_for_nothing(tmp_path: Path) -> None:
    names: list[str | None] = []
    requests: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_for("files.example", tmp_path))
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(answer, LOOPBACK, 0, ssl=context)
    async with server:
        url = f"https://files.example:{server.sockets[0].getsockname()[1]}/v.mp4"
        with pytest.raises(InterviewError) as caught:
            await fetch(downloader(), url, tmp_path / "v")

    assert caught.value.reason == "DOWNLOAD_FAILED"
    assert names == ["files.example"]
    assert b"".join(requests) == b""


async def test_two_hosts_on_one_address_have_a_connection_each(tmp_path: Path) -> None:
    replies: list[Callable[[asyncio.StreamWriter], Awaitable[None]]] = []
    used_again = asyncio.Event()

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        if replies:
            await replies.pop(0)(writer)
            return
        writer.write(http_reply(MP4))
        await writer.drain()

    async with serving(answer) as files:

        async def redirect_and_stay(writer: asyncio.StreamWriter) -> None:
            writer.write(TO_ANOTHER_NAME % files.port)
            await writer.drain()
            await used_again.wait()

        replies.append(redirect_and_stay)
        await fetch(downloader(), files.url, tmp_path / "v")

    assert (tmp_path / "v").read_bytes() == MP4
    assert f"Host: other.example:{files.port}".encode() in files.requests[1]
