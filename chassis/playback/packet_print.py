"""Tells whether two openings of a file gave the same packets, and so the same sound or picture."""

from __future__ import annotations

import hashlib
from typing import Any


class PacketPrint:
    """A digest of one track's packets, in the order in which a decoder gets them.

    Args:
        stream: The track, before its packets are decoded.
    """

    def __init__(self, stream: Any) -> None:
        self._digest = hashlib.blake2b()
        self._index = stream.index
        context = stream.codec_context
        self._note(context.codec.name, context.extradata, stream.time_base)

    def add(self, packet: Any) -> None:
        """Take a packet of the recording, placed on its clock. Those of other tracks say nothing."""
        if packet.stream.index == self._index:
            self._note(packet.pts, packet.dts, packet.duration, bool(packet.is_discard), packet.size)
            if packet.size:
                self._digest.update(packet)

    def value(self) -> bytes:
        """Return the digest of what came so far."""
        return self._digest.digest()

    def _note(self, *facts: object) -> None:
        self._digest.update(repr(facts).encode())
