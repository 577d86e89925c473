"""What a gRPC server lets in: sizes, streams, metadata, and how it notices that a peer is gone."""

from __future__ import annotations

from chassis.client import MAX_MESSAGE_BYTES
from chassis.settings import ServiceSettings

PERMITTED_KEEPALIVE_MS = 10_000
"""Clients ping every 30 s. A server that permits less often closes their connections."""
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS = 60_000, 20_000
"""A peer that is cut off without a word is noticed after 80 s. Its calls are then cancelled."""
MAX_METADATA_BYTES = 8 << 10
"""All metadata of a call. Identifiers, groups and a token take a few hundred bytes."""
HARD_METADATA_BYTES = 16 << 10
"""From the first limit on gRPC refuses some calls at random, from this one on all."""


def server_options(settings: ServiceSettings) -> list[tuple[str, int]]:
    """Return the options of a gRPC server."""
    return [
        ("grpc.max_receive_message_length", settings.max_receive_bytes),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_concurrent_streams", settings.max_stream_count),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.absolute_max_metadata_size", HARD_METADATA_BYTES),
        ("grpc.http2.min_ping_interval_without_data_ms", PERMITTED_KEEPALIVE_MS),
        ("grpc.keepalive_time_ms", KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
        ("grpc.so_reuseport", 0),  # a second process on the port fails instead of sharing it
    ]
