#!/usr/bin/env bash
# obstore: a large put over a slow link never gets through, however often it is repeated.
#
# Versions: obstore 0.12.1 (object_store 0.14), moto 5.2.5, Python 3.11.
# Input: 60 MB for `put`, over a link of 10 MB a second. The client's time limit is 3 s here, so that the script is short.
#   The default of 30 s does the same to 60 MB over 1 MB a second.
# Expected: it takes six seconds. A single part of 5 MB needs half a second of the link, so the limit is never met.
# What happens: 12 parts are sent at once, each has a twelfth of the link and needs six seconds. All 12 run into the
#   limit at the same time, all 12 are sent again from their start, and so on until the repeats are used up. Not one part
#   ever arrives. With one part at a time the same put takes its six seconds.
# Who is hit: each upload from a site with less than 2 MB a second to its store. It fails after minutes, and its link is
#   full all the time.
# Output seen:
#   12 at once: fails
#   1 at once:  is written
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" obstore==0.12.1 'moto[s3]==5.2.5' flask flask-cors
# The server and the link complain on standard error about what was broken off.
PYTHONPATH=$packages AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b python3.11 - 2>/dev/null <<'PY'
import asyncio
import time
import urllib.request
from datetime import timedelta

import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

RATE = 10_000_000
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
port = server.get_host_and_port()[1]
urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT"))


class Link:
    """Passes bytes on to the server at one rate for all connections, in turn."""

    def __init__(self):
        self.turn = asyncio.Lock()

    async def serve(self, reader, writer):
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(self.pump(reader, there[1], True), self.pump(there[0], writer, False), return_exceptions=True)
        writer.close()
        there[1].close()

    async def pump(self, reader, writer, slow):
        try:
            while data := await reader.read(65536):
                if slow:
                    async with self.turn:
                        await asyncio.sleep(len(data) / RATE)
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()


async def put(max_concurrency):
    link = await asyncio.start_server(Link().serve, "127.0.0.1", 0)
    store = S3Store(
        "bucket",
        endpoint="http://127.0.0.1:%d" % link.sockets[0].getsockname()[1],
        client_options={"allow_http": True, "timeout": timedelta(seconds=3)},
        retry_config={"retry_timeout": timedelta(seconds=20)},
    )
    begin = time.monotonic()
    try:
        await obstore.put_async(store, "key", bytes(60_000_000), max_concurrency=max_concurrency)
        return "is written"
    except Exception:
        return "fails"
    finally:
        print(f"{max_concurrency} at once: {time.monotonic() - begin:.0f} s")
        link.close()


async def main():
    found = await put(12), await put(1)
    print(f"12 at once: {found[0]}\n1 at once:  {found[1]}")
    assert found == ("fails", "is written"), "changed"


asyncio.run(main())
server.stop()
PY
