"""Requests to a link's server: to an allowed host, at the very address that was checked.

A redirect is checked like the link itself. No second look-up of a name can differ from the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx

from chassis.errors import InvalidInputError, listed
from orchestrator.links.drive_links import DRIVE_HOSTS
from orchestrator.links.link_addresses import AddressRule, Resolve, bad_link, is_public, resolve_host

HTTP_PORT, HTTPS_PORT = 80, 443
MAX_PORT = 65_535
MAX_ADDRESS_COUNT = 4
"""Addresses of a host that are tried."""


@dataclass(frozen=True)
class LinkRules:
    """Where links may lead.

    Args:
        hosts: Names of hosts. `.example.org` stands for every host below that name. Empty: any public host.
        drive_host: Where Google Drive hands files out. It is allowed where Google Drive is.
        is_allowed: Judges addresses.
        resolve: Looks host names up.
    """

    hosts: Sequence[str] = ()
    drive_host: str = ""
    is_allowed: AddressRule = is_public
    resolve: Resolve = resolve_host

    async def addresses(self, url: httpx.URL) -> Sequence[str]:
        """Return the checked addresses of a URL's host, the first few of them.

        Raises:
            InvalidInputError: The URL is not http(s), or no server can be there (`LINK_INVALID`), or its host
                is not allowed (`LINK_HOST_FORBIDDEN`), or it leads into a private network
                (`LINK_FORBIDDEN`).
            OSError: The host's name is not known.
        """
        port = url.port or (HTTPS_PORT if url.scheme == "https" else HTTP_PORT)
        if url.scheme not in ("http", "https") or not url.host or port > MAX_PORT:
            raise bad_link()
        if not self.allows(url):
            raise InvalidInputError(
                f"Links may not lead to this host here. Allowed are: {listed(self.hosts)}. Use one of them, "
                "or upload the file.",
                reason="LINK_HOST_FORBIDDEN",
            )
        found = await self.resolve(url.host, port)
        # All of them: which one a second look-up would give is the name's owner's choice.
        if not found or not all(self.is_allowed(address) for address in found):
            # Not a matter of rights: the same link will not do later either.
            raise InvalidInputError(
                "This link leads into a private network. Use a public link, or upload the file.",
                reason="LINK_FORBIDDEN",
            )
        return found[:MAX_ADDRESS_COUNT]

    def allows(self, url: httpx.URL) -> bool:
        """Tell whether a URL's host is one of the allowed ones."""
        if not self.hosts:
            return True
        allowed = [name.lower().strip() for name in self.hosts]
        if any(name in allowed for name in DRIVE_HOSTS):
            allowed.append(self.drive_host.lower())
        host = url.raw_host.decode("ascii").lower().rstrip(".")
        return any(host == name or (name.startswith(".") and host.endswith(name)) for name in allowed)


def pinned_request(url: httpx.URL, address: str, headers: Mapping[str, str]) -> httpx.Request:
    """Build a request to a checked address. The server is asked for, and must prove, the URL's own name."""
    return httpx.Request(
        "GET",
        url.copy_with(host=address, userinfo=b""),
        headers={"Host": url.netloc.decode("ascii"), **headers},
        extensions={"sni_hostname": url.raw_host.decode("ascii")},
    )
