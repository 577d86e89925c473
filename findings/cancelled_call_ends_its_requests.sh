#!/usr/bin/env bash
# grpcio (asyncio): when a caller cancels, the server's stream of requests ends as if all had been sent.
#
# Versions: grpcio 1.85.1, Python 3.11.
# Input: a call with a stream of requests. The client sends 3 of them and cancels. Another one sends 3 and ends its stream.
# Expected: `async for request in requests` ends in the handler when the client has sent all. When the client cancels, it is left by
#   CancelledError, or by an error.
# What happens: both end the loop in the same way. What stands behind the loop is begun, and `context.cancelled()` is still false
#   there. The handler is cancelled a moment later, at its next `await`. What it does before that, it does with half of the data.
#   The synchronous server raises an error in the same place.
# Who is hit: whoever takes an upload in by such a stream and keeps it behind the loop: a file that was cut off looks like a whole one.
#   A size or digest in the first message, or an end mark in the last one, tells them apart.
# Output seen:
#   ended by half-close: behind the loop with 3 requests, cancelled: False
#   cancelled:           behind the loop with 3 requests, cancelled: False
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" grpcio==1.85.1
PYTHONPATH=$packages GRPC_VERBOSITY=NONE python3.11 - <<'PY'
import asyncio

import grpc

COUNT = 3


async def main():
    seen, halfway = [], asyncio.Event()

    async def take(requests, context):
        count = 0
        async for _ in requests:
            count += 1
            if count == COUNT:
                halfway.set()
        seen.append(f"behind the loop with {count} requests, cancelled: {context.cancelled()}")
        return b"kept"

    server = grpc.aio.server()
    handler = grpc.stream_unary_rpc_method_handler(take)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("s.S", {"Take": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        method = channel.stream_unary("/s.S/Take")

        async def three(then_wait):
            for _ in range(COUNT):
                yield b"x"
            if then_wait:
                await asyncio.Event().wait()

        assert await method(three(False)) == b"kept"
        halfway.clear()
        call = method(three(True))
        await halfway.wait()
        call.cancel()
        await asyncio.sleep(1)
    await server.stop(None)
    for name, line in zip(("ended by half-close:", "cancelled:          "), seen):
        print(name, line)
    assert len(seen) == 2 and seen[0] == seen[1], "changed"


asyncio.run(main())
PY
