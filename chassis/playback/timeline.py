"""One clock for all tracks of a recording, also where its timestamps go back. Pure.

Time 0 is the first sample or frame that a player shows. Two recordings that were written one after the other
into one file are laid one after the other, sound and picture alike.
"""

from __future__ import annotations

from dataclasses import dataclass

SAME_BEGIN_S = 1.0
"""A part that starts this near to the file's own beginning has the same clock as the file."""


@dataclass(slots=True)
class _Part:
    shift_s: float
    """What turns the part's timestamps into seconds of the recording."""
    now_s: float
    """The latest timestamp of the part."""


@dataclass(slots=True)
class _Place:
    part: int
    latest_s: float


class Timeline:
    """Turns the timestamps of a file into seconds of the recording.

    Args:
        origin_s: The timestamp that is time 0. None takes the first one that is asked about.
    """

    def __init__(self, origin_s: float | None) -> None:
        self._origin_s = origin_s
        self._parts: list[_Part] = []
        self._places: dict[int, _Place] = {}
        self.end_s = 0.0
        """Where the last piece so far ends."""
        self.joints_s: list[float] = []
        """Where a new part begins."""

    @property
    def origin_s(self) -> float:
        """The timestamp that is time 0."""
        return self._origin_s or 0.0

    def shift_s(self, track: int, time_s: float, tolerance_s: float) -> float:
        """Return what is added to a timestamp to get seconds of the recording.

        Args:
            track: Which track the timestamp is of. Pieces come in the file's order.
            time_s: The timestamp.
            tolerance_s: How far a track's timestamps go back without a new part.
        """
        if not self._parts:
            if self._origin_s is None:
                self._origin_s = time_s
            self._parts.append(_Part(-self._origin_s, time_s))
        part = self._part_of(track, time_s, tolerance_s)
        now = self._parts[part]
        now.now_s = max(now.now_s, time_s)
        place = self._places.get(track)
        if place is None or place.part != part:
            self._places[track] = _Place(part, time_s)
        else:
            place.latest_s = max(place.latest_s, time_s)
        return now.shift_s

    def hidden_shift_s(self, track: int) -> float:
        """Return the same for a piece that is decoded and not shown. It moves nothing."""
        place = self._places.get(track)
        return self._parts[place.part].shift_s if place is not None else -self.origin_s

    def cover(self, end_s: float) -> None:
        """Note that something is shown until `end_s` of the recording."""
        self.end_s = max(self.end_s, end_s)

    def _part_of(self, track: int, time_s: float, tolerance_s: float) -> int:
        newest, place = len(self._parts) - 1, self._places.get(track)
        if place is None:
            return newest
        if place.part < newest:
            # Another track began a new part. A piece that is nearer to its own track's time is a straggler.
            straggles = abs(time_s - place.latest_s) < abs(time_s - self._parts[newest].now_s)
            return place.part if straggles and time_s >= place.latest_s - tolerance_s else newest
        if time_s < place.latest_s - tolerance_s:
            self._begin_part(time_s)
            return newest + 1
        return newest

    def _begin_part(self, time_s: float) -> None:
        same_clock = 0.0 <= time_s - self.origin_s < SAME_BEGIN_S
        self._parts.append(_Part(self.end_s - (self.origin_s if same_clock else time_s), time_s))
        self.joints_s.append(self.end_s)
