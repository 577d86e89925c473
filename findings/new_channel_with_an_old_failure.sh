#!/usr/bin/env bash
# grpcio: the first call of a new channel fails at once, because another channel failed to connect before.
#
# Versions: grpcio 1.85.1, Python 3.11.
# Input: a channel calls an address while nobody listens there. Then the server starts, and a new channel to the same address
#   makes its first call.
# Expected: the new channel connects, and the call succeeds. A plain connection to the port succeeds at that moment.
# What happens: UNAVAILABLE within milliseconds, with the old channel's "Connection refused". Channels with the same address and
#   options share one connection in the process, and with it the pause until the next attempt (up to two minutes after a long
#   outage). The new channel makes no attempt of its own. With `grpc.use_local_subchannel_pool` it has its own connection.
#   `wait_for_ready` waits out the rest of the pause instead.
# Who is hit: whoever makes a fresh channel to try again after an outage, or a new client in a process in which another client
#   keeps asking (a health check, a test before this one). Closing the old channel first helps as well.
# Output seen:
#   old channel, nobody listens:   UNAVAILABLE
#   plain connection afterwards:   succeeds
#   new channel afterwards:        UNAVAILABLE
#   new channel with its own pool: OK
set -euo pipefail
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
python3.11 -m pip install --quiet --target "$packages" grpcio==1.85.1
PYTHONPATH=$packages GRPC_VERBOSITY=NONE python3.11 - <<'PY'
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import grpc

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
address = f"127.0.0.1:{port}"


def code(channel):
    try:
        channel.unary_unary("/example.Echo/Ask")(b"", timeout=10)
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


old = grpc.insecure_channel(address)
failed = {code(old)}
for _ in range(4):  # The pause begins with a second and grows.
    time.sleep(1.5)
    failed.add(code(old))
server = grpc.server(ThreadPoolExecutor(2))
handlers = {"Ask": grpc.unary_unary_rpc_method_handler(lambda request, context: b"")}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("example.Echo", handlers),))
server.add_insecure_port(address)
server.start()
with socket.create_connection(("127.0.0.1", port)):
    pass
new = code(grpc.insecure_channel(address))
own = code(grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]))
print("old channel, nobody listens:  ", *failed)
print("plain connection afterwards:   succeeds")
print("new channel afterwards:       ", new)
print("new channel with its own pool:", own)
server.stop(None).wait()
assert failed == {"UNAVAILABLE"}, "changed"
assert (new, own) == ("UNAVAILABLE", "OK"), "changed"
PY
