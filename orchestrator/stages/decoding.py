"""Decodes one hostile recording, in a process of its own: `python -I decoding.py JOB`.

Reads a job as JSON from its argument, writes the sound as WAV (mono, 16 bit, 16 kHz), and answers with
one line of JSON: the probe, or `{"error": REASON, "message": …}`. Time 0 is the earliest timestamp of
the first picture and sound tracks; gaps between timestamps are filled with silence, so that the
WAV's seconds are the recording's. Imports nothing of ours.
"""

from __future__ import annotations

import json
import resource
import sys
import wave
from contextlib import suppress
from typing import Any

SAMPLE_RATE_HZ = 16_000
BYTES_PER_SAMPLE = 2
FULL_SCALE = 32_768.0
CLIPPED_FROM = 32_760
"""Resampling leaves clipped peaks a little below full scale."""
LEVEL_WINDOW = SAMPLE_RATE_HZ // 50
"""20 ms: shorter than a syllable, long enough for a level."""
GAP_S = 0.1
"""Timestamps jitter by some tens of milliseconds; a longer hole is filled with silence."""
TRIED_PACKETS = 300
"""Packets in which a picture track must yield one frame, or it counts as undecodable."""
DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,wav,mp3,flac,ogg,aac"
"""What recordings come in. Playlists, image sequences and network formats are not on the list."""


class UnreadableError(Exception):
    """The recording can't be used; the reason is UPPER_SNAKE."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def limit(job: dict[str, Any]) -> None:
    """Bound what a hostile file can cost this machine."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(job["max_cpu_s"]), int(job["max_cpu_s"]) + 5))
    resource.setrlimit(resource.RLIMIT_AS, (job["max_memory_bytes"], job["max_memory_bytes"]))
    file_bytes = int(job["max_duration_s"] * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE) + (1 << 20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Clock:
    """Keeps the recording's time 0 and refuses what lies too far from it."""

    def __init__(self, max_duration_s: float) -> None:
        self.origin_s: float | None = None
        self._max_duration_s = max_duration_s

    def since_start(self, time_s: float) -> float:
        """Turn a timestamp into seconds since the recording's beginning."""
        if self.origin_s is None:
            self.origin_s = time_s
        elapsed_s = time_s - self.origin_s
        if elapsed_s > self._max_duration_s:
            raise too_long(self._max_duration_s)
        return max(0.0, elapsed_s)


def too_long(max_duration_s: float) -> UnreadableError:
    """Say that the recording is too long."""
    minutes = f"{max_duration_s / 60:g} minutes"
    return UnreadableError("MEDIA_TOO_LONG", f"The recording is longer than {minutes}; send a shorter one.")


class SoundWriter:
    """Resamples decoded sound into the WAV and measures it on the way."""

    def __init__(self, path: str, clock: Clock) -> None:
        import av

        self._wav = wave.open(path, "wb")  # noqa: SIM115 - closed in `close`
        self._wav.setparams((1, BYTES_PER_SAMPLE, SAMPLE_RATE_HZ, 0, "NONE", ""))
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)
        self._clock = clock
        self.sample_count = 0
        self.clipped_count = 0
        self.square_sum = 0.0
        self.peak = 0
        self.levels: list[Any] = []
        self._rest: Any = None

    def write(self, frame: Any) -> None:
        """Write one decoded frame at the place that its timestamp names."""
        if frame.pts is not None and frame.time_base is not None:
            at_s = self._clock.since_start(float(frame.pts * frame.time_base))
            hole = round(at_s * SAMPLE_RATE_HZ) - self.sample_count
            if hole > GAP_S * SAMPLE_RATE_HZ:
                self._wav.writeframesraw(bytes(hole * BYTES_PER_SAMPLE))
                self.sample_count += hole
        frame.pts = None  # The resampler would fill holes by its own rules.
        for resampled in self._resampler.resample(frame):
            self._append(resampled.to_ndarray().reshape(-1))

    def _append(self, samples: Any) -> None:
        import numpy as np

        self._clock.since_start((self._clock.origin_s or 0.0) + self.sample_count / SAMPLE_RATE_HZ)
        self._wav.writeframesraw(samples.astype("<i2", copy=False).tobytes())
        self.sample_count += samples.size
        values = samples.astype(np.float64)
        self.square_sum += float(values @ values)
        self.clipped_count += int(np.count_nonzero(np.abs(values) >= CLIPPED_FROM))
        self.peak = max(self.peak, int(np.abs(values).max(initial=0)))
        joined = values if self._rest is None else np.concatenate([self._rest, values])
        whole = joined.size // LEVEL_WINDOW * LEVEL_WINDOW
        self.levels.append(np.sqrt((joined[:whole].reshape(-1, LEVEL_WINDOW) ** 2).mean(axis=1)))
        self._rest = joined[whole:]

    def close(self) -> None:
        """Write what the resampler still holds, and the header."""
        if self.sample_count:  # It refuses to be flushed before its first frame.
            for resampled in self._resampler.resample(None):
                self._append(resampled.to_ndarray().reshape(-1))
        self._wav.close()

    def probe(self) -> dict[str, Any]:
        """Return what was measured."""
        import numpy as np

        levels = np.concatenate(self.levels) if self.levels else np.zeros(1)
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
    """Counts a picture track's packets, and decodes until one frame came out."""

    def __init__(self, stream: Any, clock: Clock, max_pixel_count: int) -> None:
        self._stream = stream
        self._clock = clock
        self._max_pixel_count = max_pixel_count
        self.packet_count = 0
        self.first_s = self.last_s = self.end_s = 0.0
        self.frame_seen = False
        self.width_px = self.height_px = 0

    def read(self, packet: Any) -> None:
        """Take one packet into account."""
        import av

        if packet.pts is not None and packet.time_base is not None:
            at_s = self._clock.since_start(float(packet.pts * packet.time_base))
            self.first_s = min(self.first_s, at_s) if self.packet_count else at_s
            self.last_s = max(self.last_s, at_s)
            self.end_s = max(self.end_s, at_s + float((packet.duration or 0) * packet.time_base))
            self.packet_count += 1
        if self.frame_seen or self.packet_count > TRIED_PACKETS:
            return
        with suppress(av.error.FFmpegError):
            for frame in self._stream.decode(packet):
                self.frame_seen = True
                self.width_px, self.height_px = frame.width, frame.height

    def check_size(self) -> None:
        """Refuse pictures that would exhaust the stages that look at them."""
        context = self._stream.codec_context
        if context.width * context.height > self._max_pixel_count:
            raise UnreadableError(
                "MEDIA_TOO_COMPLEX",
                f"The picture has more than {self._max_pixel_count:,} pixels; scale it down.",
            )

    def probe(self) -> dict[str, Any]:
        """Return what was found out."""
        span_s = self.last_s - self.first_s
        return {
            "width_px": self.width_px,
            "height_px": self.height_px,
            "frame_rate_hz": (self.packet_count - 1) / span_s if span_s > 0 else None,
            "duration_s": max(self.end_s, self.last_s),
            "packet_count": self.packet_count,
            "codec": self._stream.codec_context.name,
        }


def decode(job: dict[str, Any]) -> dict[str, Any]:
    """Read the recording once from beginning to end."""
    import av

    options = {"protocol_whitelist": "file", "format_whitelist": DEMUXERS}
    try:
        container = av.open(job["source"], options=options, metadata_errors="ignore")
    except (av.error.FFmpegError, ValueError) as error:
        raise UnreadableError(
            "MEDIA_UNDECODABLE", "The file is damaged or no recording: send it as mp4, webm, mkv, mov or avi."
        ) from error
    with container:
        if len(container.streams) > job["max_track_count"]:
            raise UnreadableError("MEDIA_TOO_COMPLEX", "The recording has too many tracks; send a plain one.")
        if container.duration and container.duration / av.time_base > job["max_duration_s"] * 1.01:
            raise too_long(job["max_duration_s"])
        return _read(container, job)


def _read(container: Any, job: dict[str, Any]) -> dict[str, Any]:
    import av

    sounds = list(container.streams.audio)
    pictures = [stream for stream in container.streams.video if not _cover(stream)]
    clock = Clock(job["max_duration_s"])
    starts = [
        float(s.start_time * s.time_base) for s in sounds[:1] + pictures[:1] if s.start_time is not None
    ]
    clock.origin_s = min(starts) if starts else None
    sound = SoundWriter(job["wav"], clock) if sounds else None
    picture = PictureTrack(pictures[0], clock, job["max_pixel_count"]) if pictures else None
    if picture is not None:
        picture.check_size()
    corrupt_count = 0
    try:
        for packet in container.demux(*sounds[:1], *pictures[:1]):
            if picture is not None and packet.stream is pictures[0]:
                picture.read(packet)
            elif sound is not None:
                try:
                    for frame in packet.decode():
                        sound.write(frame)
                except av.error.FFmpegError:
                    corrupt_count += 1
    except av.error.FFmpegError:
        corrupt_count += 1  # A truncated file ends in an error: what came before it counts.
    if sound is not None:
        sound.close()
    return _report(container, sound, sounds, picture, corrupt_count)


def _cover(stream: Any) -> bool:
    import av

    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _report(
    container: Any,
    sound: SoundWriter | None,
    sounds: list[Any],
    picture: PictureTrack | None,
    corrupt_count: int,
) -> dict[str, Any]:
    heard = sound is not None and sound.sample_count > 0
    seen = picture is not None and picture.frame_seen
    if not heard and not seen:
        raise UnreadableError(
            "MEDIA_UNDECODABLE", "Neither picture nor sound can be decoded; send the recording again."
        )
    report: dict[str, Any] = {
        "container": container.format.name,
        "track_count": len(container.streams),
        "sound": None,
        "picture": picture.probe() if picture is not None and seen else None,
        "warnings": [f"{corrupt_count} damaged pieces of the recording were left out."]
        if corrupt_count
        else [],
    }
    if sound is not None and heard:
        context = sounds[0].codec_context
        report["sound"] = sound.probe() | {
            "codec": context.name,
            "sample_rate_hz": int(context.sample_rate or 0),
            "corrupt_packet_count": corrupt_count,
        }
    lengths = [track["duration_s"] for track in (report["sound"], report["picture"]) if track]
    report["duration_s"] = max(lengths)
    return report


def main() -> None:
    """Do the job in the first argument."""
    job = json.loads(sys.argv[1])
    limit(job)
    try:
        answer = decode(job)
    except UnreadableError as error:
        answer = {"error": error.reason, "message": str(error)}
    except MemoryError:
        answer = {
            "error": "MEDIA_TOO_COMPLEX",
            "message": "Decoding needs too much memory; send a plainer file.",
        }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
