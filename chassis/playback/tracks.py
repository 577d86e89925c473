"""Which tracks of a recording are meant: those that a player would choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from av.container import InputContainer
from av.stream import Disposition

from chassis.playback.codec_tags import codec_tags
from chassis.playback.recording_warnings import RecordingWarning

UNKNOWN_CODEC = "unknown"
PRIMING_S = 0.2
"""Encoders write up to this much before time 0, which a player leaves out."""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The sound and picture tracks of a recording, in each list the one that is meant first."""

    sounds: tuple[Any, ...]
    """Those that can be decoded."""
    pictures: tuple[Any, ...]
    """Those that can be decoded. A cover image is not one."""
    lost: tuple[Any, ...]
    """Tracks that nothing here can decode."""
    tags: Sequence[str] = ()
    """What the file calls the codecs of its tracks, in its order. Only looked up where a track is lost."""

    @property
    def picture(self) -> Any:
        """The picture track that is shown. None without one."""
        return self.pictures[0] if self.pictures else None

    @property
    def timed(self) -> tuple[Any, ...]:
        """All sound and picture tracks."""
        return (*self.sounds, *self.pictures, *self.lost)

    def count(self, kind: str) -> int:
        """Return how many tracks there are of a kind (`audio`, `video`), decodable or not."""
        return sum(1 for stream in self.timed if stream.type == kind)

    def codec(self, kind: str) -> str:
        """Return the codec of the track of a kind that is meant. Empty without one."""
        streams = [stream for stream in self.timed if stream.type == kind]
        return self.codec_of(streams[0]) if streams else ""

    def codec_of(self, stream: Any) -> str:
        """Return a track's codec: by FFmpeg's name (`h264`, `mp3`), or else by the file's own (`av02`)."""
        if stream.codec_context is not None:
            return str(stream.codec_context.codec.canonical_name)
        return self.tags[stream.index] if stream.index < len(self.tags) else UNKNOWN_CODEC


def tracks_of(container: InputContainer, path: Path) -> Tracks:
    """Sort a container's tracks: marked as default first, then by their place in the file.

    In an MP4 only enabled tracks count as default, and in an AVI none does. Without a mark the first
    track is meant.
    """
    streams = sorted(
        (*container.streams.audio, *(s for s in container.streams.video if not _is_image(s))),
        key=lambda stream: (not stream.disposition & Disposition.default, stream.index),
    )
    playable = [stream for stream in streams if stream.codec_context is not None]
    return Tracks(
        sounds=tuple(stream for stream in playable if stream.type == "audio"),
        pictures=tuple(stream for stream in playable if stream.type == "video"),
        lost=tuple(stream for stream in streams if stream.codec_context is None),
        tags=codec_tags(path) if len(playable) < len(streams) else (),
    )


def origin_of(tracks: Tracks) -> float | None:
    """Return the timestamp of the first sample or frame shown. None where no track says when it begins."""
    starts_s = [
        _shown_from_s(stream, float(stream.start_time * stream.time_base))
        for stream in tracks.timed
        if stream.start_time is not None and stream.time_base is not None
    ]
    return min(starts_s, default=None)


def about_choice(tracks: Tracks, sound: Any = None) -> list[RecordingWarning]:
    """Say which of several tracks was taken, and which can't be decoded.

    Args:
        tracks: The recording's tracks.
        sound: The sound track that is heard. None says nothing about sound tracks that can be decoded.
    """
    found = [_about_lost(stream.type, tracks.codec_of(stream)) for stream in tracks.lost]
    if sound is not None and len(tracks.sounds) > 1:
        found.append(
            RecordingWarning(
                "SOUND_TRACK_CHOSEN",
                f"The recording has {len(tracks.sounds)} sound tracks. "
                f"Number {_number(sound, tracks.sounds)} was listened to, "
                f"{_why(sound, tracks.sounds)}. What is on the others was not heard.",
            )
        )
    if len(tracks.pictures) > 1:
        number = _number(tracks.picture, tracks.pictures)
        found.append(
            RecordingWarning(
                "PICTURE_TRACK_CHOSEN",
                f"The recording has {len(tracks.pictures)} picture tracks. Number {number} was looked at, as "
                "a player would choose. What is on the others was not seen.",
            )
        )
    return found


def _is_image(stream: Any) -> bool:
    image = Disposition.attached_pic | Disposition.timed_thumbnails
    return bool(stream.disposition & image)


def _shown_from_s(stream: Any, start_s: float) -> float:
    return 0.0 if stream.type == "audio" and -PRIMING_S < start_s < 0.0 else start_s


def _about_lost(track_type: str, codec: str) -> RecordingWarning:
    what, kind = ("sound", "SOUND") if track_type == "audio" else ("picture", "PICTURE")
    return RecordingWarning(
        f"{kind}_UNDECODABLE",
        f"A {what} track is in a format that is not known here ({codec}), so it was left out. "
        "Export the recording as MP4 (H.264 and AAC) to have it assessed.",
    )


def _number(stream: Any, streams: Sequence[Any]) -> int:
    """A track's place among its kind in the file, from 1 on, as players number them."""
    return sorted(one.index for one in streams).index(stream.index) + 1


def _why(sound: Any, sounds: Sequence[Any]) -> str:
    return "as a player would choose" if sound is sounds[0] else "because the usual one is silent"
