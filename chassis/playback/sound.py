"""The sound that a player plays, as mono samples on the recording's clock.

Where timestamps say that sound is missing (a late start, a pause of the recorder) there is silence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame

from chassis.playback.mixing import PhaseMender, mix_gain
from chassis.playback.opening import Recording, open_recording
from chassis.playback.recording_warnings import NOTABLE_S, RecordingWarning, clock_time
from chassis.playback.samples import GATHERED_SAMPLES, SAMPLE_RATE_HZ, Samples
from chassis.playback.samples import too_long as too_long  # those who read sound find it here
from chassis.playback.tracks import about_choice

MAX_GATHERED_S = 16
"""A track of a few samples a second would be resampled to gigabytes at once."""
GAP_S = 0.1
"""A gap of this length is filled at once. Shorter ones may be jitter of the recorder's clock."""
DRIFT_S = 0.02
"""A gap of this length that stays for `SETTLED_S` is not jitter."""
SETTLED_S = 1.0
SILENT_BLOCK_SAMPLES = 60 * SAMPLE_RATE_HZ
LEVEL_SAMPLES = SAMPLE_RATE_HZ // 50
"""20 ms: shorter than a syllable, long enough for a level."""
HEARD_LEVEL = 10 ** (-50 / 20)
"""Root mean square over full scale from which on a stretch counts as heard. Speech is 20 dB louder."""
HEARD_S = 1.0
"""A track with less sound than this is silent, where another one is there."""
MAX_COMPARED_TRACKS = 8
"""More tracks are not listened to: each costs as much as the recording."""


class SoundReader:
    """Turns one sound track's packets into blocks of samples.

    Args:
        recording: The open recording.
        stream: One of its sound tracks.
        max_duration_s: Longest sound.
    """

    def __init__(self, recording: Recording, stream: Any, max_duration_s: float) -> None:
        self._recording = recording
        self._stream = stream
        self._max_duration_s = max_duration_s
        self._resampler = _new_resampler()
        self._gathered = av.AudioFifo()
        self._shape: tuple[str, str, int] | None = None
        self._gain = np.float32(1.0)
        self._mender = PhaseMender()
        self._position_s = 0.0
        self._least_gap_s = float("inf")
        self._settled_from_s = 0.0
        self._changes_s: list[float] = []
        self._holes: list[tuple[float, float]] = []
        self._any_frame = self._resampling = False
        self.sample_count = 0
        self.damaged_packet_count = 0

    @property
    def duration_s(self) -> float:
        """Length so far, silence included."""
        return self.sample_count / SAMPLE_RATE_HZ

    @property
    def heard_s(self) -> float:
        """Length so far without the pauses that are told: those of `NOTABLE_S` and longer."""
        return self.duration_s - sum(end_s - start_s for start_s, end_s in self._holes)

    @property
    def is_undecodable(self) -> bool:
        """Whether there were packets and none of them could be decoded."""
        return not self._any_frame and self.damaged_packet_count > 0

    def read(self, packet: Any) -> Iterator[Samples]:
        """Yield the samples that a packet of the recording completes. Packets of other tracks have none.

        Raises:
            InvalidInputError: The sound is longer than allowed (`MEDIA_TOO_LONG`).
        """
        if packet.stream is not self._stream:
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.damaged_packet_count += 1
            return
        for frame in frames:
            if isinstance(frame, AudioFrame) and frame.samples:
                yield from self._take(frame)

    def finish(self) -> Iterator[Samples]:
        """Yield what is left when all packets were read."""
        yield from self._drained()

    def _take(self, frame: AudioFrame) -> Iterator[Samples]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:  # the recorder changed its mind in mid-file; a resampler may not
            yield from self._drained()
            if self._shape is not None:
                self._changes_s.append(self._position_s)
            self._shape, self._gain = shape, np.float32(mix_gain(frame.layout.name))
        if (at_s := _time_of(frame)) is not None and (gap_s := self._gap_s(at_s)) > 0:
            yield from self._drained()
            yield from self._silence(at_s - self._position_s if gap_s > GAP_S else gap_s)
        self._any_frame = True
        frame.pts = None  # the queue and the resampler would fill gaps by rules of their own
        self._gathered.write(frame)
        self._position_s += frame.samples / frame.sample_rate
        if self._gathered.samples >= min(GATHERED_SAMPLES, MAX_GATHERED_S * frame.sample_rate):
            yield from self._resampled(self._gathered.read())

    def _gap_s(self, at_s: float) -> float:
        """How much silence must come before a frame of this time."""
        gap_s = at_s - self._position_s
        if not self._any_frame or gap_s > GAP_S:
            return gap_s
        self._least_gap_s = min(self._least_gap_s, gap_s)
        if self._position_s - self._settled_from_s < SETTLED_S:
            return 0.0
        least_s, self._least_gap_s = self._least_gap_s, float("inf")
        self._settled_from_s = self._position_s
        return least_s if least_s > DRIFT_S else 0.0

    def _silence(self, length_s: float) -> Iterator[Samples]:
        """Yield silence block by block, so that an absurd timestamp meets the length check first."""
        if length_s >= NOTABLE_S:
            self._holes.append((self._position_s, self._position_s + length_s))
        left = round((self._position_s + length_s) * SAMPLE_RATE_HZ) - self.sample_count
        while left > 0:
            block = np.zeros(min(left, SILENT_BLOCK_SAMPLES), np.float32)
            left -= block.size
            yield self._counted(block)
        self._position_s = max(self._position_s, self.duration_s)
        self._least_gap_s, self._settled_from_s = float("inf"), self._position_s

    def _drained(self) -> Iterator[Samples]:
        if self._gathered.samples:
            yield from self._resampled(self._gathered.read())
        if self._resampling:  # it can't be emptied before its first frame
            yield from self._resampled(None)
        self._resampler, self._gathered, self._resampling = _new_resampler(), av.AudioFifo(), False

    def _resampled(self, frame: AudioFrame | None) -> Iterator[Samples]:
        mended = self._mender.mend(frame) if frame is not None else None
        self._resampling = True
        for mono in self._resampler.resample(mended):
            samples = mono.to_ndarray().reshape(-1).astype(np.float32, copy=False) * self._gain
            if not np.isfinite(samples.sum(dtype=np.float64)):
                samples = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
            yield self._counted(samples)

    def _counted(self, samples: Samples) -> Samples:
        self.sample_count += samples.size
        if self.duration_s > self._max_duration_s:
            raise too_long(self._max_duration_s)
        return samples

    def belongs_to(self, recording: Recording, stream: Any) -> None:
        """Say that what was read is the same track of another opening of the file: of the whole one."""
        self._recording, self._stream = recording, stream

    def warnings(self) -> list[RecordingWarning]:
        """Say what was found out about the sound, once all was read."""
        return [
            *about_choice(self._recording.tracks, self._stream),
            *self._about_samples(),
            *self._about_times(),
        ]

    def _about_samples(self) -> Iterator[RecordingWarning]:
        if self.is_undecodable:
            yield RecordingWarning(
                "SOUND_UNDECODABLE", "No piece of the sound can be decoded, so nothing was heard."
            )
        elif self.damaged_packet_count:
            yield RecordingWarning(
                "MEDIA_DAMAGED",
                f"Damaged pieces of the sound were left out: {self.damaged_packet_count}. "
                "Words may be missing.",
            )
        if self._changes_s:
            yield RecordingWarning(
                "SOUND_CHANGES",
                f"The sound changes its sampling rate or its channels, first at "
                f"{clock_time(self._changes_s[0])}. It was heard to its end.",
                self._changes_s[0],
            )
        if self._mender.opposite_s >= NOTABLE_S:
            yield RecordingWarning(
                "SOUND_OPPOSITE_PHASE",
                "The two channels of the sound cancel each other out where they are mixed, as on a telephone "
                "or a loudspeaker. They were put right here, and all was heard.",
            )

    def _about_times(self) -> Iterator[RecordingWarning]:
        for start_s, end_s in self._holes:
            kind, what = (
                ("SOUND_STARTS_LATE", "starts late") if start_s == 0.0 else ("SOUND_MISSING", "pauses")
            )
            yield RecordingWarning(
                kind,
                f"The sound {what}: there is none from {clock_time(start_s)} to {clock_time(end_s)}.",
                start_s,
                end_s,
            )
        end_s = self._recording.timeline.end_s
        if not self.sample_count and not self.is_undecodable and end_s >= NOTABLE_S:
            yield RecordingWarning(
                "SOUND_MISSING", "There is a sound track, but nothing in it. Nothing was heard.", 0.0, end_s
            )
        if self.sample_count and end_s - self.duration_s >= NOTABLE_S:
            yield RecordingWarning(
                "SOUND_ENDS_EARLY",
                f"The sound ends at {clock_time(self.duration_s)}, and the recording at {clock_time(end_s)}.",
                self.duration_s,
                end_s,
            )


def choose_sound(
    recording: Recording, max_duration_s: float, check: Callable[[], None] = lambda: None
) -> Any | None:
    """Return the sound track that is meant. None without one that can be decoded.

    It is the track that a player chooses. Where that is silent (the desktop's sound) and another one is not
    (the microphone), it is the one with most sound. With several tracks the file is read for it once more.
    """
    sounds = recording.tracks.sounds[:MAX_COMPARED_TRACKS]
    if len(sounds) < 2:
        return sounds[0] if sounds else None
    with open_recording(recording.path, recording.beat) as again:
        heard_s = _heard_by_track(again, max_duration_s, check)
    usual, loudest = sounds[0], max(sounds, key=lambda stream: heard_s[stream.index])
    return usual if heard_s[usual.index] >= HEARD_S or heard_s[loudest.index] <= 0.0 else loudest


def _heard_by_track(
    recording: Recording, max_duration_s: float, check: Callable[[], None]
) -> dict[int, float]:
    """Return the seconds with sound of each track, until the usual one is known not to be silent."""
    sounds = recording.tracks.sounds[:MAX_COMPARED_TRACKS]
    readers = {stream.index: SoundReader(recording, stream, max_duration_s) for stream in sounds}
    heard_s = dict.fromkeys(readers, 0.0)
    for packet in recording.packets():
        check()
        if (reader := readers.get(packet.stream.index)) is not None:
            heard_s[packet.stream.index] += sum(_heard_s(block) for block in reader.read(packet))
            if heard_s[sounds[0].index] >= HEARD_S:
                return heard_s
    for index, reader in readers.items():
        heard_s[index] += sum(_heard_s(block) for block in reader.finish())
    return heard_s


def _heard_s(block: Samples) -> float:
    whole = block[: block.size // LEVEL_SAMPLES * LEVEL_SAMPLES].reshape(-1, LEVEL_SAMPLES)
    levels = np.sqrt(np.einsum("ij,ij->i", whole, whole) / LEVEL_SAMPLES)
    return float(np.count_nonzero(levels >= HEARD_LEVEL)) * LEVEL_SAMPLES / SAMPLE_RATE_HZ


def _time_of(frame: AudioFrame) -> float | None:
    if frame.pts is None or frame.time_base is None:
        return None
    return float(frame.pts * frame.time_base)


def _new_resampler() -> av.AudioResampler:
    return av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
