#!/usr/bin/env bash
# grpcio: a server that stops with a grace period answers calls that are on their way with CANCELLED, not with UNAVAILABLE.
#
# Versions: grpcio 1.85.1, Python 3.11.
# Input: 24 callers, one call of 10 ms after the other. In the middle `server.stop(5)`. Ten times, with the asyncio server and with
#   the synchronous one.
# Expected: calls under way are answered. New ones meet a closed port, so UNAVAILABLE, which retry policies name.
# What happens: many callers get CANCELLED "CANCELLED" though nobody has cancelled. The call reached a server that had begun to
#   stop. It ran nowhere. With the asyncio server it is about half of the callers, with the synchronous one a few.
# Who is hit: rolling restarts. CANCELLED means that the caller gave up, so it is neither tried again nor counted as an error. To
#   avoid it a server says NOT_SERVING first and goes on for a moment before it stops, and its callers watch its health. A caller
#   who has cancelled nothing may try again.
# Output seen:
#   asyncio: 2912 answered, CANCELLED 111, UNAVAILABLE 129
#   synchronous: 2706 answered, CANCELLED 13, UNAVAILABLE 227
# The script fails if the asyncio server cancels nobody.
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" grpcio==1.85.1
PYTHONPATH=$packages GRPC_VERBOSITY=ERROR python3.11 - <<'PY'
import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import grpc

STOPS, CALLERS, CALL_S, BEFORE_S = 10, 24, 0.01, 0.3


async def answer(request, context):
    await asyncio.sleep(CALL_S)
    return request


def answer_in_a_thread(request, context):
    time.sleep(CALL_S)
    return request


def add(server, behaviour):
    handlers = {"Say": grpc.unary_unary_rpc_method_handler(behaviour)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("example.Echo", handlers),))
    return server.add_insecure_port("127.0.0.1:0")


async def call_until_refused(port, seen):
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        say = channel.unary_unary("/example.Echo/Say")

        async def caller():
            while True:
                try:
                    await say(b"", timeout=10)
                    seen["answered"] += 1
                except grpc.aio.AioRpcError as error:
                    seen[error.code().name] += 1
                    return

        await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def asyncio_stop(seen):
    server = grpc.aio.server()
    port = add(server, answer)
    await server.start()
    calls = asyncio.create_task(call_until_refused(port, seen))
    await asyncio.sleep(BEFORE_S)
    await server.stop(5)
    await calls


async def synchronous_stop(seen):
    server = grpc.server(ThreadPoolExecutor(32))
    port = add(server, answer_in_a_thread)
    server.start()
    calls = asyncio.create_task(call_until_refused(port, seen))
    await asyncio.sleep(BEFORE_S)
    await asyncio.to_thread(server.stop(5).wait)
    await calls


found = {}
for name, stop in (("asyncio", asyncio_stop), ("synchronous", synchronous_stop)):
    found[name] = Counter()
    for _ in range(STOPS):
        asyncio.run(stop(found[name]))
    seen = found[name]
    print(f"{name}: {seen['answered']} answered, CANCELLED {seen['CANCELLED']}, UNAVAILABLE {seen['UNAVAILABLE']}")
assert found["asyncio"]["CANCELLED"], "changed"
PY
