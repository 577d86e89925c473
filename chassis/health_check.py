"""Asks a gRPC process on this machine for its health: the containers' health check.

    python -m chassis.health_check 50051

Exits with 0 where it serves, with 1 where it doesn't.
"""

from __future__ import annotations

import sys
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.identity import of_this_process

TIMEOUT_S = 5.0


def serving(port: int, timeout_s: float = TIMEOUT_S) -> bool:
    """Tell whether the process on a port of this machine serves."""
    with _channel(f"127.0.0.1:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        try:
            reply = stub.Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc.RpcError:
            return False
    return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def _channel(address: str) -> grpc.Channel:
    credentials = of_this_process().channel_credentials()
    if credentials is None:
        return grpc.insecure_channel(address)
    # The certificate of each process also names `localhost`.
    return grpc.secure_channel(address, credentials, [("grpc.ssl_target_name_override", "localhost")])


if __name__ == "__main__":
    sys.exit(0 if serving(int(sys.argv[1])) else 1)
