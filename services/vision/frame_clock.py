"""When a decoded frame is shown, also where the container does not say. Pure."""

from __future__ import annotations

from typing import Any


class FrameClock:
    """Times of frames in the order in which they are shown.

    An AVI with B frames has no presentation times, and what is guessed for it jumps to and fro. Then the
    decoding times serve, which grow from frame to frame, moved to where the first frame was.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._shift = 0
        self._pts_usable = True

    def ticks(self, frame: Any) -> int | None:
        """The frame's time in its own time base. None where it has none."""
        if frame.pts is None:
            self._pts_usable = False
        elif self._last is None and frame.dts is not None:
            self._shift = frame.pts - frame.dts
        elif self._last is not None and frame.pts <= self._last:
            self._pts_usable = False
        ticks = frame.pts if self._pts_usable or frame.dts is None else frame.dts + self._shift
        self._last = ticks
        return int(ticks) if ticks is not None else None
