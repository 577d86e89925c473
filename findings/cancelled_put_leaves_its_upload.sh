#!/usr/bin/env bash
# obstore: a cancelled put leaves its multipart upload open, and the size of nothing says so.
#
# Versions: obstore 0.12.1, moto 5.2.5, Python 3.11.
# Input: a file of 80 MB for `put_async`, whose task is cancelled in the middle. An upload of more than one part is
#   chosen by obstore itself for each file above 5 MB.
# Expected: the upload is aborted, as it is when the source of the bytes fails: obstore promises an atomic write.
# What happens: nobody aborts it. Its parts stay, cost money and hold the bytes, and no listing of objects shows them.
#   With `open_writer_async` an exception inside `async with` aborts it, also a cancellation. But not if the cancellation
#   comes while the write is on its way that begins the upload: until its answer is there, nobody has the upload's name.
# Who is hit: each server that passes uploads on and is left by its clients. Erasing a person's data by prefix finds
#   nothing of them. A lifecycle rule (AbortIncompleteMultipartUpload) is the only thing that removes them.
# Output seen:
#   source fails:     0 uploads left
#   task cancelled:   1 uploads left
#   writer cancelled: 0 uploads left
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" obstore==0.12.1 'moto[s3]==5.2.5' flask flask-cors
# The server and the link complain on standard error about what was broken off.
PYTHONPATH=$packages AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b python3.11 - 2>/dev/null <<'PY'
import asyncio
import urllib.request

import obstore
from moto.server import ThreadedMotoServer
from obstore.store import S3Store

PART = bytes(5 << 20)
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
endpoint = "http://127.0.0.1:%d" % server.get_host_and_port()[1]


async def parts(end):
    for _ in range(4):
        yield PART
    await end()


async def fail():
    raise OSError("the source breaks")


async def wait():
    await asyncio.Event().wait()


async def write(store):
    async with obstore.open_writer_async(store, "key", buffer_size=len(PART)) as writer:
        async for part in parts(wait):
            await writer.write(part)


async def left_by(bucket, work, cancel_after_s=None):
    """Return how many uploads are open after some work."""
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{bucket}", method="PUT"))
    store = S3Store(bucket, endpoint=endpoint, client_options={"allow_http": True})
    task = asyncio.ensure_future(work(store))
    if cancel_after_s is not None:
        await asyncio.sleep(cancel_after_s)
        task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(2)
    return urllib.request.urlopen(f"{endpoint}/{bucket}?uploads").read().count(b"<UploadId>")


async def main():
    failed = await left_by("failed", lambda store: obstore.put_async(store, "key", parts(fail)))
    cancelled = await left_by("cancelled", lambda store: obstore.put_async(store, "key", parts(wait)), 3)
    writer = await left_by("writer", write, 3)
    print(f"source fails:     {failed} uploads left")
    print(f"task cancelled:   {cancelled} uploads left")
    print(f"writer cancelled: {writer} uploads left")
    assert (failed, cancelled, writer) == (0, 1, 0), "changed"


asyncio.run(main())
server.stop()
PY
