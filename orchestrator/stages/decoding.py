"""Decodes one hostile recording, in a process of its own: `python -I decoding.py JOB`.

Reads a job as JSON from its argument, writes the sound as WAV (mono, 16 bit, 16 kHz), and answers with
one line of JSON: the probe, or `{"error": REASON, "message": …}`. `chassis.playback` says which tracks are
meant and when each piece is shown. The WAV's seconds are the recording's.
"""

from __future__ import annotations

import errno
import json
import sys
import wave
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

SAMPLE_RATE_HZ = 16_000
BYTES_PER_SAMPLE = 2
FULL_SCALE = 32_768.0
CLIPPED_FROM = 32_760
"""Resampling leaves clipped peaks a little below full scale."""
LEVEL_WINDOW = SAMPLE_RATE_HZ // 50
"""20 ms: shorter than a syllable, long enough for a level."""
MAX_WARNING_COUNT = 100
TRIED_PACKETS = 300
"""Packets in which a picture track must yield one frame, or it counts as undecodable."""


class UnreadableError(Exception):
    """The recording can't be used. The reason is UPPER_SNAKE."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def limit(job: dict[str, Any]) -> None:
    """Bound what a hostile file can cost this machine."""
    from chassis.decoding.child_limits import ChildLimits

    sound_bytes = int(job["max_duration_s"] * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE) + (1 << 20)
    limits = ChildLimits(job["max_memory_bytes"], job["max_cpu_s"], max_file_bytes=sound_bytes)
    limits.apply(job["parent_pid"])


def to_values(samples: Any) -> Any:
    """Return samples, float32 in [-1, 1], as the values of 16 bit that are written (float64)."""
    import numpy as np

    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.float64)


class SoundWriter:
    """Writes sound into the WAV and measures it on the way."""

    def __init__(self, path: str) -> None:
        self._wav = wave.open(path, "wb")  # noqa: SIM115 - closed in `close`
        self._wav.setparams((1, BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, 0, "NONE", ""))
        self.sample_count = 0
        self.clipped_count = 0
        self.square_sum = 0.0
        self.peak = 0
        self.levels: list[Any] = []
        self._rest: Any = None

    def write(self, samples: Any) -> None:
        """Write the next samples, float32 in [-1, 1]."""
        import numpy as np

        values = to_values(samples)
        self._wav.writeframesraw(values.astype("<i2").tobytes())
        self.sample_count += values.size
        self.square_sum += float(values @ values)
        self.clipped_count += int(np.count_nonzero(np.abs(values) >= CLIPPED_FROM))
        self.peak = max(self.peak, int(np.abs(values).max(initial=0)))
        joined = values if self._rest is None else np.concatenate([self._rest, values])
        whole = joined.size // LEVEL_WINDOW * LEVEL_WINDOW
        self.levels.append(np.sqrt((joined[:whole].reshape(-1, LEVEL_WINDOW) ** 2).mean(axis=1)))
        self._rest = joined[whole:]

    def close(self) -> None:
        """Write the header."""
        self._wav.close()

    def probe(self) -> dict[str, Any]:
        """Return what was measured."""
        import numpy as np

        levels = np.concatenate(self.levels) if self.levels else np.zeros(0)
        if not levels.size:  # Shorter than one window: its level is that of all there is.
            levels = np.array([(self.square_sum / max(1, self.sample_count)) ** 0.5])
        loud, quiet = np.percentile(levels, [95, 10])
        count = max(1, self.sample_count)
        return {
            "duration_s": self.sample_count / SAMPLE_RATE_HZ,
            "loudness_ratio": (self.square_sum / count) ** 0.5 / FULL_SCALE,
            "peak_ratio": self.peak / FULL_SCALE,
            "clipping_ratio": self.clipped_count / count,
            "loud_ratio": float(loud) / FULL_SCALE,
            "quiet_ratio": float(quiet) / FULL_SCALE,
        }


class PictureTrack:
    """Notes when a picture track's frames are shown, and decodes until one frame came out."""

    def __init__(self, stream: Any, job: dict[str, Any]) -> None:
        from chassis.playback.picture import PictureTimes

        # A file may claim a small picture, and hold a large one. Set before the decoder is opened.
        stream.codec_context.options = {"max_pixels": str(job["max_pixel_count"])}
        self._stream = stream
        self._max_duration_s = job["max_duration_s"]
        self.times = PictureTimes()
        self.frame_seen = False
        self.width_px = self.height_px = 0

    def read(self, packet: Any) -> None:
        """Take one packet into account."""
        import av

        from chassis.playback.picture import how_shown
        from chassis.playback.sound import too_long

        if packet.stream is not self._stream:
            return
        self.times.read(packet)
        if self.times.end_s > self._max_duration_s:
            raise too_long(self._max_duration_s)
        if self.frame_seen or self.times.packet_count > TRIED_PACKETS:
            return
        with suppress(av.error.FFmpegError):
            for frame in self._stream.decode(packet):
                self.frame_seen = True
                self.width_px, self.height_px = how_shown(frame, self._stream).size

    def probe(self) -> dict[str, Any]:
        """Return what was found out."""
        return {
            "width_px": self.width_px,
            "height_px": self.height_px,
            "frame_rate_hz": self.times.frame_rate_hz,
            "duration_s": self.times.shown_until_s,
            "packet_count": self.times.packet_count,
        }


def decode(job: dict[str, Any]) -> dict[str, Any]:
    """Read the recording once from beginning to end."""
    import av

    from chassis.decoding.claims import check_track_claims
    from chassis.playback.opening import open_recording, undecodable
    from chassis.playback.sound import too_long

    source, max_duration_s = Path(job["source"]), job["max_duration_s"]
    try:
        with open_recording(source) as recording:
            check_track_claims(
                tuple(recording.container.streams),
                max_track_count=job["max_track_count"],
                max_pixel_count=job["max_pixel_count"],
            )
            if (recording.total_s or 0.0) > max_duration_s * 1.01:
                raise too_long(max_duration_s)
            return _read(recording, job)
    except (av.error.FFmpegError, ValueError) as error:
        raise undecodable(source) from error


def _read(recording: Any, job: dict[str, Any]) -> dict[str, Any]:
    from chassis.playback.opening import undecodable
    from chassis.playback.sound import SoundReader, choose_sound

    stream = choose_sound(recording, job["max_duration_s"])
    reader = SoundReader(recording, stream, job["max_duration_s"]) if stream is not None else None
    shown = recording.tracks.picture
    picture = PictureTrack(shown, job) if shown is not None else None
    writer = SoundWriter(job["wav"])
    for packet in recording.packets():
        if picture is not None:
            picture.read(packet)
        if reader is not None:
            for samples in reader.read(packet):
                writer.write(samples)
    if reader is not None:
        for samples in reader.finish():
            writer.write(samples)
    writer.close()
    sound = _sound(reader, writer, stream) if reader is not None and writer.sample_count else None
    seen = picture.probe() if picture is not None and picture.frame_seen else None
    if sound is None and seen is None:
        raise undecodable(recording.path)
    if seen is None and sound is not None and writer.sample_count < LEVEL_WINDOW:
        raise UnreadableError(
            "MEDIA_TOO_SHORT",
            "The recording has less than 20 ms of sound and no picture. Send the whole recording.",
        )
    return _facts(recording) | {
        "sound": sound,
        "picture": seen and seen | {"codec": recording.tracks.codec("video")},
        "duration_s": max(track["duration_s"] for track in (sound, seen) if track),
        "recording_warnings": [asdict(one) for one in _warnings(recording, reader, picture)],
    }


def _sound(reader: Any, writer: SoundWriter, stream: Any) -> dict[str, Any]:
    return writer.probe() | {
        "codec": stream.codec_context.codec.canonical_name,
        "sample_rate_hz": int(stream.codec_context.sample_rate or 0),
        "corrupt_packet_count": reader.damaged_packet_count,
        "heard_s": reader.heard_s,
    }


def _facts(recording: Any) -> dict[str, Any]:
    tracks = recording.tracks
    return {
        "container": recording.container.format.name,
        "track_count": len(recording.container.streams),
        "clock_offset_s": recording.clock_offset_s,
        "sound_codec": tracks.codec("audio"),
        "picture_codec": tracks.codec("video"),
        "sound_track_count": tracks.count("audio"),
        "picture_track_count": tracks.count("video"),
    }


def _warnings(recording: Any, reader: Any, picture: PictureTrack | None) -> tuple[Any, ...]:
    from chassis.playback.recording_warnings import RecordingWarning, in_order
    from chassis.playback.tracks import about_choice

    found = [*recording.warnings(), *(reader.warnings() if reader else about_choice(recording.tracks))]
    if picture is not None and picture.frame_seen:
        found += picture.times.warnings(max(recording.timeline.end_s, picture.times.shown_until_s))
    elif picture is not None and picture.times.packet_count:
        found.append(
            RecordingWarning(
                "PICTURE_UNDECODABLE", "No frame of the picture can be decoded, so nothing was seen."
            )
        )
    # A file can be made of a million joints, and each has its words.
    return in_order(found)[:MAX_WARNING_COUNT]


def answer_to(job: dict[str, Any]) -> dict[str, Any]:
    """Decode, and turn what goes wrong into an answer."""
    try:
        from chassis.errors import InterviewError

        try:
            return decode(job)
        except InterviewError as error:
            if _wants_memory(error.__cause__):  # FFmpeg's own word for it, and not a damaged file's.
                raise MemoryError from error
            return {"error": error.reason, "message": str(error)}
        except UnreadableError as error:
            return {"error": error.reason, "message": str(error)}
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                return {"error": "WORK_FOLDER_FULL", "message": ""}
            raise
    except (MemoryError, ImportError):  # a library that can't be loaded for want of memory is an ImportError
        return {
            "error": "MEDIA_TOO_COMPLEX",
            "message": "Decoding needs too much memory. Send a plainer file.",
        }


def _wants_memory(error: BaseException | None) -> bool:
    return isinstance(error, OSError) and error.errno == errno.ENOMEM


def main() -> None:
    """Do the job in the first argument."""
    job = json.loads(sys.argv[1])
    sys.path.insert(0, job["import_folder"])  # an isolated Python knows no folder of ours
    limit(job)
    sys.stdout.write(json.dumps(answer_to(job)) + "\n")


if __name__ == "__main__":
    main()
