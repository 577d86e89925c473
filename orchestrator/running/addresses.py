"""The pods behind an address as gRPC takes it."""

from __future__ import annotations

import asyncio
import socket

RESOLVE_TIMEOUT_S = 5.0


async def addresses_of(address: str) -> tuple[str, ...]:
    """Return `host:port` for each pod behind an address, sorted. None where the name can't be looked up.

    Args:
        address: `host:port`, `dns:///host:port`, or another one of gRPC's, which stands for itself.
    """
    scheme, _, rest = address.rpartition("///") if "///" in address else ("", "", address)
    host, _, port = rest.rpartition(":")
    if scheme not in ("", "dns:") or not host or not port.isdigit() or "/" in host or "," in rest:
        return (address,)
    try:
        async with asyncio.timeout(RESOLVE_TIMEOUT_S):
            found = await asyncio.get_running_loop().getaddrinfo(
                host.strip("[]"), int(port), type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError, UnicodeError):
        return ()
    # A pod may have an address of each family.
    family = socket.AF_INET if any(entry[0] == socket.AF_INET for entry in found) else socket.AF_INET6
    hosts = {str(entry[4][0]) for entry in found if entry[0] == family}
    return tuple(sorted(f"[{one}]:{port}" if ":" in one else f"{one}:{port}" for one in hosts))
