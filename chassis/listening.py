"""What a gRPC server lets in: sizes, streams, metadata, and how it notices that a peer is gone."""

from __future__ import annotations

import ipaddress
import logging

import grpc

from chassis.client import MAX_MESSAGE_BYTES
from chassis.identity import Identity
from chassis.settings import ServiceSettings, address_unavailable

logger = logging.getLogger(__name__)

PERMITTED_KEEPALIVE_MS = 10_000
"""Clients ping every 30 s. A server that permits less often closes their connections."""
KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS = 60_000, 20_000
"""A peer that is cut off without a word is noticed after 80 s. Its calls are then cancelled."""
MAX_METADATA_BYTES = 8 << 10
"""All metadata of a call. Identifiers, groups and a token take a few hundred bytes."""
HARD_METADATA_BYTES = 16 << 10
"""From the first limit on gRPC refuses some calls at random, from this one on all."""
AGE_GRACE_S = 60.0
"""How much longer than the longest call an old connection stays open."""
MAX_MS = (1 << 31) - 1
"""The longest time that gRPC's core can be told."""


def server_options(settings: ServiceSettings) -> list[tuple[str, int]]:
    """Return the options of a gRPC server."""
    options = [
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
    if settings.max_connection_age_s:
        # gRPC spreads the age by a tenth. What is under way on an old connection goes on: a call is ended by
        # its own limit first.
        grace_s = settings.max_call_s + AGE_GRACE_S
        options += [
            ("grpc.max_connection_age_ms", _ms(settings.max_connection_age_s)),
            ("grpc.max_connection_age_grace_ms", _ms(grace_s)),
        ]
    return options


def _ms(seconds: float) -> int:
    return max(1, min(MAX_MS, round(seconds * 1000)))


def add_port(server: grpc.aio.Server, settings: ServiceSettings, identity: Identity) -> int:
    """Let a server listen on its address, and return its port.

    Raises:
        PreconditionError: The address is taken or not ours (`ADDRESS_UNAVAILABLE`), or TLS is set and its
            files can't be used (`TLS_FILES_UNREADABLE`).
    """
    address = f"{settings.host}:{settings.port}"
    credentials = identity.server_credentials()
    if credentials is None and not is_loopback(settings.host):
        logger.warning(
            "other machines may reach this port, and it has no TLS. Set INTERVIEW_TLS_… or close it by a "
            "network policy",
            extra={"host": settings.host},
        )
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError:
        raise address_unavailable(settings, "host", "port") from None


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches what listens on an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
