"""Which addresses a link may lead to. A link comes from outside, so it may not make us read the inside.

Every address is resolved by us, checked, and connected to as checked. A redirect is checked again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qs, urlsplit

import httpx

from chassis.errors import InvalidInputError

INDIRECT_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96", "fec0::/10")
)
"""Global for Python, but they lead inside: the first four to any IPv4 address, private ones included (NAT64,
6to4, IPv4-compatible), the last to a site's own hosts."""
HTTP_PORT, HTTPS_PORT = 80, 443
MAX_PORT = 65_535
_DRIVE_HOSTS = ("drive.google.com", "docs.google.com")
_DRIVE_FILE = re.compile(r"/file/d/([A-Za-z0-9_-]+)")

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Looks a host's IP addresses up, by name and port."""


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
    return [str(entry[4][0]) for entry in found]


def direct_link(link: str, drive_url: str) -> httpx.URL:
    """Return where a link's file is handed out: Google Drive's share links have another address for that.

    Raises:
        InvalidInputError: This can't be a link to a file (`LINK_INVALID`).
    """
    try:
        parts = urlsplit(link)
        if parts.hostname not in _DRIVE_HOSTS:
            return httpx.URL(link)
        in_path = _DRIVE_FILE.search(parts.path)
        file_id = in_path.group(1) if in_path else parse_qs(parts.query).get("id", [""])[0]
    except (httpx.InvalidURL, ValueError):
        raise bad_link() from None
    if not file_id:
        raise bad_link()
    return httpx.URL(drive_url, params={"id": file_id, "export": "download", "confirm": "t"})


async def checked_request(
    url: httpx.URL, *, resolve: Resolve, allow_private: bool, headers: dict[str, str]
) -> httpx.Request:
    """Build a request to the very address that was checked, so that no second look-up can differ.

    Raises:
        InvalidInputError: The link is not http(s), or no server can be there (`LINK_INVALID`), or it leads
            into a private network (`LINK_FORBIDDEN`).
        OSError: The host's name is not known.
    """
    port = url.port or (HTTPS_PORT if url.scheme == "https" else HTTP_PORT)
    if url.scheme not in ("http", "https") or not url.host or port > MAX_PORT:
        raise bad_link()
    addresses = await resolve(url.host, port)
    if not addresses or not (allow_private or all(is_public(address) for address in addresses)):
        # Not a matter of rights: the same link will not do later either.
        raise InvalidInputError(
            "This link leads into a private network. Use a public link, or upload the file.",
            reason="LINK_FORBIDDEN",
        )
    return httpx.Request(
        "GET",
        url.copy_with(host=addresses[0], userinfo=b""),
        headers={"Host": url.netloc.decode("ascii"), **headers},
        extensions={"sni_hostname": url.host},
    )


def is_public(address: str) -> bool:
    """Tell whether an IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if any(ip in network for network in INDIRECT_NETWORKS):
            return False
        ip = ip.ipv4_mapped or ip
    return ip.is_global and not ip.is_multicast


def bad_link() -> InvalidInputError:
    """Return the error of a link that can't be opened."""
    return InvalidInputError(
        "This link can't be opened. Use a Google Drive share link or a direct http(s) link.",
        reason="LINK_INVALID",
    )
