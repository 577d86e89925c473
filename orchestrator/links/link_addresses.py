"""Which addresses a link may lead to. A link comes from outside, so it may not make us read the inside.

An address is judged, never a name. One that carries an IPv4 address inside is judged by that.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence

from chassis.errors import InvalidInputError

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a host's IP addresses up, by name and port."""
AddressRule = Callable[[str], bool]
"""Tells whether a link may lead to an IP address."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IPv4 = ipaddress.IPv4Address


def _networks(*names: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(name) for name in names)


INSIDE_V4 = _networks(
    "0.0.0.0/8",  # this host
    "10.0.0.0/8",
    "100.64.0.0/10",  # carriers' NAT, and some clouds' metadata
    "127.0.0.0/8",
    "169.254.0.0/16",  # the link, and most clouds' metadata
    "172.16.0.0/12",
    "192.0.0.0/24",  # protocols, and one cloud's metadata
    "192.0.2.0/24",  # examples, here and below
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",  # to many
    "240.0.0.0/4",
    "168.63.129.16/32",  # public by its number, and one cloud's own host agent
)
"""IANA's special-purpose addresses, and what clouds keep for themselves. Python's own list changes with its
version."""
UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
"""All that the internet routes. Everything else is local, unassigned, to many, or carries an IPv4 address."""
INSIDE_V6 = _networks(
    "2001::/23",  # protocols: Teredo, ORCHID, benchmarks and more
    "2001:db8::/32",  # examples
    "3ffe::/16",  # the test network of the nineties
    "3fff::/20",  # examples
)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""The whole internet as a network without IPv4 sees it. Its local twin, 64:ff9b:1::/48, is inside."""
SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
"""A host with an IPv4 address only, by an old notation."""
ISATAP_MARKS = (0x00005EFE, 0x02005EFE)
"""Half of an interface's id, before an IPv4 address."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """Return a host's IP addresses.

    Raises:
        InvalidInputError: No host can have such a name (`LINK_INVALID`).
        OSError: The name is not known.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # A label is empty or has more than 63 characters.
        raise bad_link() from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4):
        return ip.is_global and not any(ip in network for network in INSIDE_V4)
    if ip.scope_id is not None:  # It names one of this machine's own interfaces.
        return False
    number = int(ip)
    last_v4 = str(IPv4(number & 0xFFFF_FFFF))
    if ip.ipv4_mapped is not None or ip in NAT64:
        return is_public(last_v4)
    if number >> 32 & 0xFFFF_FFFF in ISATAP_MARKS and not is_public(last_v4):
        return False
    if ip in SIX_TO_FOUR:
        return is_public(str(IPv4(number >> 80 & 0xFFFF_FFFF)))
    return ip in UNICAST_V6 and ip.is_global and not any(ip in network for network in INSIDE_V6)


def any_address(_: str) -> bool:
    """Let a link lead anywhere. Only for tests and closed networks."""
    return True


def bad_link() -> InvalidInputError:
    """Return the error of a link that can't be opened."""
    return InvalidInputError(
        "This link can't be opened. Use a Google Drive share link or a direct http(s) link.",
        reason="LINK_INVALID",
    )
