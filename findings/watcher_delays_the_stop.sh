#!/usr/bin/env bash
# grpcio-health-checking: one open `Watch` makes each stop of a server take its whole grace.
#
# Versions: grpcio 1.85.1, grpcio-health-checking 1.85.1, Python 3.11.
# Input: an asyncio server with the library's health service, and no calls but one that watches its health, as clients
#   with health checking by `healthCheckConfig` do. It is stopped by the book: `enter_graceful_shutdown()`, then `stop(5)`.
# Expected: the watcher is told NOT_SERVING, its stream ends, and the server stops at once. It has no work to wait for.
# What happens: the watcher is told NOT_SERVING and its stream stays open, although no other state can come any more. `stop` waits
#   for it as for any call, until the grace is over. Then the watcher gets UNAVAILABLE.
#   The same was met in Go (issue 8776 of grpc-go) and mended in .NET (change 2582 of grpc-dotnet).
# Who is hit: rolling updates. With a grace of some minutes for long calls, each idle process takes these minutes to end, or is killed
#   by who waits for it. With `Check`, as Kubernetes asks, nothing of it shows.
# Output seen:
#   nobody watches: stopped after 0 s
#   one watches:    stopped after 5 s, told SERVING NOT_SERVING, then UNAVAILABLE
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" grpcio==1.85.1 grpcio-health-checking==1.85.1
PYTHONPATH=$packages GRPC_VERBOSITY=NONE python3.11 - <<'PY'
import asyncio
import time

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

GRACE_S = 5


async def watch(address, told):
    """Watch a server's health to the end of the stream, and return how that ended."""
    async with grpc.aio.insecure_channel(address) as channel:
        try:
            async for reply in health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest()):
                told.append(health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status))
        except grpc.aio.AioRpcError as error:
            return error.code().name
    return "the end"


async def stop(*, watched):
    """Start and stop a server. Return how long the stop took, what the watcher was told, and how it ended."""
    server, servicer, told = grpc.aio.server(), health.aio.HealthServicer(), []
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    watcher = asyncio.create_task(watch(address, told)) if watched else None
    while watched and not told:
        await asyncio.sleep(0.05)
    await servicer.enter_graceful_shutdown()
    begin_s = time.monotonic()
    await server.stop(GRACE_S)
    return time.monotonic() - begin_s, told, await watcher if watcher else ""


async def main():
    alone_s, _, _ = await stop(watched=False)
    watched_s, told, end = await stop(watched=True)
    print(f"nobody watches: stopped after {alone_s:.0f} s")
    print(f"one watches:    stopped after {watched_s:.0f} s, told {' '.join(told)}, then {end}")
    assert alone_s < 2 and watched_s > GRACE_S - 1, "changed"
    assert (told, end) == (["SERVING", "NOT_SERVING"], "UNAVAILABLE"), "changed"


asyncio.run(main())
PY
