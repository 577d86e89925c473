"""Peak memory of a gateway with many uploads and event streams at once: a table, then one line of JSON.

Three processes are compared: one that only starts, one with a few uploads, and one with all of the load.
"""

from __future__ import annotations

import asyncio
import json

from rich.console import Console
from rich.table import Table

from benchmarks.gateway.measure import MP4, SERVERS, cost_of, nothing

UPLOAD_COUNT = 200
FEW_UPLOADS = 10
UPLOAD_BYTES = 20_000_000
STREAM_COUNT = 500
BLOCK = b"\x00" * 65_536
BOUNDARY = b"frontier"
SESSION_ID = "a" * 32
SETTINGS = {
    "max_concurrent_uploads": UPLOAD_COUNT,
    "max_uploads_per_client": UPLOAD_COUNT,
    "max_streams": STREAM_COUNT,
    "max_streams_per_client": STREAM_COUNT,
}

_PART = (
    b"--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="videos"; filename="a.mp4"\r\n\r\n' + MP4
)
_END = (
    b"\r\n--" + BOUNDARY + b'\r\nContent-Disposition: form-data; name="questions"\r\n\r\nWhy?'
    b"\r\n--" + BOUNDARY + b"--\r\n"
)
_ZEROS = UPLOAD_BYTES - len(MP4)
UPLOAD_HEAD = (
    b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: multipart/form-data; boundary="
    + BOUNDARY
    + b"\r\nContent-Length: %d\r\n\r\n" % (len(_PART) + _ZEROS + len(_END))
)
STREAM_HEAD = b"GET /sessions/%s/events HTTP/1.1\r\nHost: localhost\r\n\r\n" % SESSION_ID.encode()


async def upload(port: int) -> None:
    """Send one recording, and see that it was accepted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(UPLOAD_HEAD + _PART)
    left = _ZEROS
    while left:
        block = BLOCK[:left]
        writer.write(block)
        await writer.drain()
        left -= len(block)
    writer.write(_END)
    answer = await reader.read()
    writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:500].decode())


async def open_stream(port: int) -> asyncio.StreamWriter:
    """Open an event stream, and wait for its first event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(STREAM_HEAD)
    await reader.readuntil(b"event: session")
    return writer


async def few_uploads(port: int) -> None:
    """Send a few recordings at once."""
    await asyncio.gather(*(upload(port) for _ in range(FEW_UPLOADS)))


async def all_of_it(port: int) -> None:
    """Open all streams, and send all recordings at once while they are open."""
    streams = await asyncio.gather(*(open_stream(port) for _ in range(STREAM_COUNT)))
    await asyncio.gather(*(upload(port) for _ in range(UPLOAD_COUNT)))
    for stream in streams:
        stream.close()


def main() -> None:
    """Measure and print."""
    found = {
        "start": cost_of(SERVERS[0], nothing, SETTINGS),
        f"{FEW_UPLOADS} uploads of 20 MB": cost_of(SERVERS[0], few_uploads, SETTINGS),
        f"{UPLOAD_COUNT} uploads of 20 MB, {STREAM_COUNT} event streams": cost_of(
            SERVERS[0], all_of_it, SETTINGS
        ),
    }
    table = Table("at once", "peak memory, MiB", "CPU-s")
    for name, cost in found.items():
        table.add_row(name, f"{cost.peak_rss_mib:.0f}", f"{cost.cpu_s:.1f}")
    Console().print(table)
    print(json.dumps({name: round(cost.peak_rss_mib, 1) for name, cost in found.items()}))


if __name__ == "__main__":
    main()
