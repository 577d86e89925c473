"""The vision engine: one pass over a recording's picture, then figures and observations from columns.

Blocking Python without transport. Models come in by constructor, one set a recording, and are
closed when it is done. The same file and models give the same report.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chassis.decoding.decoder import Decoder
from chassis.model_info import ModelInfo
from services.vision.attention import Attention, AttentionRules
from services.vision.blinks import DOWN_BELOW, eyes_down, find_blinks, relative_openness
from services.vision.faces import SURE_SCORE, FaceCounter, FaceDetector, Look
from services.vision.frames import Frame, PictureFacts, PictureTrack, open_picture, picture_decoder
from services.vision.gaze import AwayThresholds, find_away, track_gaze
from services.vision.landmarks import Landmarker
from services.vision.measures import MIN_FACE_S, UNITS, FaceTime, absent, measure_all
from services.vision.observations import (
    MIN_NO_FACE_S,
    FaceFlags,
    describe_away,
    face_flags,
    find_no_face,
    find_no_picture,
    find_second_face,
    find_too_small,
)
from services.vision.report import Observation, Outcome, PictureQuality, Progress, VisionReport
from services.vision.samples import SampleLog, Samples
from services.vision.stretches import Floats, Stretch, flags_of, sample_ends_s
from services.vision.warnings import warnings_about

PROGRESS_STEP_S = 1.0
"""Seconds of recording between two progress messages."""
MS_PER_S = 1000
NO_VIDEO_REASON = "The recording has no picture."


@dataclass(frozen=True, slots=True)
class VisionOptions:
    """What an operator may set."""

    sample_rate_hz: float = 10.0
    """Samples a second. Blink recall falls below ten (0.84 at six)."""
    look_interval_s: float = 1.0
    """Time between two counts of faces."""
    sure_score: float = SURE_SCORE
    min_no_face_s: float = MIN_NO_FACE_S
    min_face_s: float = MIN_FACE_S
    away: AwayThresholds = field(default_factory=AwayThresholds)
    attention: AttentionRules = field(default_factory=AttentionRules)
    max_pixels: int = 7680 * 4320
    """Largest picture, width × height: 8K."""


class VisionAnalyzer:
    """Looks at recordings.

    Args:
        open_landmarker: Makes a landmarker. It follows one face, so each recording gets its own.
        open_detector: Makes a face detector.
        models: What to tell about the models.
        options: Rates and thresholds.
        decoder: Decodes pictures. None: a child process a recording.
    """

    def __init__(
        self,
        open_landmarker: Callable[[], Landmarker],
        open_detector: Callable[[], FaceDetector],
        models: tuple[ModelInfo, ...] = (),
        options: VisionOptions | None = None,
        decoder: Decoder | None = None,
    ) -> None:
        self._open_landmarker = open_landmarker
        self._open_detector = open_detector
        self._options = options or VisionOptions()
        self._decoder = decoder or picture_decoder()
        self.models = models

    def analyze(self, recording: Path, stop: threading.Event) -> Iterator[Progress | VisionReport]:
        """Look at a recording from beginning to end: progress, and the report last.

        Args:
            recording: The file. It may still grow: what has arrived is looked at while the rest comes.
            stop: Set when the caller gave up.

        Raises:
            InvalidInputError: `MEDIA_UNDECODABLE`, `MEDIA_PIXELS_EXCEEDED`, `MEDIA_TOO_COMPLEX` or
                `MEDIA_DECODER_FAILED`.
            CancelledCallError: `stop` was set.
        """
        options = self._options
        with open_picture(
            recording,
            stop,
            grid_hz=options.sample_rate_hz,
            max_pixels=options.max_pixels,
            decoder=self._decoder,
        ) as track:
            if track is None:
                yield self._without_picture(PictureFacts())
                return
            watch = yield from self._watched(track)
            while track.begins_again:
                watch = yield from self._watched(track)
            yield self._report(watch.log, track.facts)

    def _watched(self, track: PictureTrack) -> Generator[Progress, None, _Watch]:
        """Look at the frames of a track, with models of its own: they follow a face."""
        options = self._options
        with closing(self._open_landmarker()) as landmarker, closing(self._open_detector()) as detector:
            watch = _Watch(landmarker, FaceCounter(detector, sure_score=options.sure_score), options)
            yield from _watch_all(track, watch)
            return watch

    def _report(self, log: SampleLog, facts: PictureFacts) -> VisionReport:
        if not len(log):
            return self._without_picture(facts)
        samples = log.samples()
        # A sample stands until the next one, the last until the track ends.
        ends_s = sample_ends_s(samples.time_s, facts.shown_until_s)
        flags = face_flags(samples, ends_s, self._options.min_no_face_s)
        face, away = _face_time(samples, flags, ends_s, facts, self._options)
        found = flags.seen.any()
        return VisionReport(
            outcome=Outcome.OK if found else Outcome.NO_FACE,
            reason="" if found else "No face was found in the recording.",
            duration_s=facts.recording_s,
            sampled_frame_count=len(log),
            inferred_frame_count=len(log) - log.held_count,
            face_ratio=face.face_ratio,
            max_face_count=max(*(look.face_count for look in samples.looks), int(found)),
            measures=measure_all(face, min_face_s=self._options.min_face_s),
            observations=_observe(face, flags, away, self._options),
            quality=_quality(samples, facts),
            models=self.models,
            warnings=warnings_about(face, facts),
            picture_s=face.picture_s,
            recording_warnings=facts.warnings,
        )

    def _without_picture(self, facts: PictureFacts) -> VisionReport:
        return VisionReport(
            outcome=Outcome.NO_VIDEO,
            reason=NO_VIDEO_REASON,
            duration_s=0.0,
            sampled_frame_count=0,
            inferred_frame_count=0,
            face_ratio=None,
            max_face_count=0,
            measures=tuple(absent(list(UNITS), Outcome.NO_VIDEO, NO_VIDEO_REASON)),
            observations=(),
            quality=PictureQuality(
                packet_count=facts.packet_count, corrupt_packet_count=facts.corrupt_packet_count
            ),
            models=self.models,
            warnings=(),
            recording_warnings=facts.warnings,
        )


class _Watch:
    """Looks at one recording's frames in turn and logs what it measures."""

    def __init__(self, landmarker: Landmarker, counter: FaceCounter, options: VisionOptions) -> None:
        self.log = SampleLog()
        self._landmarker = landmarker
        self._counter = counter
        self._attention = Attention(options.attention)
        self._interval_s = options.look_interval_s
        self._last_ms = -1
        self._last_look: Look | None = None
        self._last_slot = -1
        self._had_mesh = False

    def see(self, frame: Frame) -> None:
        due = self._due(frame.time_s)
        if not due and not self._attention.wants(frame.compared, frame.time_s):
            self.log.hold(frame)
            return
        # The landmarker refuses a time that does not grow, and a grid step may be crossed within 1 ms.
        self._last_ms = max(self._last_ms + 1, round(frame.time_s * MS_PER_S))
        mesh = self._landmarker.find(frame.image, self._last_ms)
        self._attention.looked(frame.compared, frame.time_s, mesh)
        look = None
        if due or (mesh is not None) != self._had_mesh:
            look = self._last_look = self._counter.look(frame.image, len(self.log))
        self._had_mesh = mesh is not None
        self.log.add(frame, mesh, look)

    def _due(self, time_s: float) -> bool:
        """Whether faces must be counted now: it is time, or a face without a mesh may have left."""
        slot = int(time_s / self._interval_s)
        due, self._last_slot = slot > self._last_slot, slot
        unmeasured_face = (
            not self._had_mesh and self._last_look is not None and self._last_look.face_count > 0
        )
        return due or unmeasured_face


def _watch_all(track: PictureTrack, watch: _Watch) -> Iterator[Progress]:
    next_s = PROGRESS_STEP_S
    for frame in track.frames():
        watch.see(frame)
        if frame.time_s >= next_s:
            next_s = frame.time_s + PROGRESS_STEP_S
            yield _progress(frame, track.total_s)


def _progress(frame: Frame, total_s: float | None) -> Progress:
    if total_s:
        return Progress(frame.time_s, total_s, min(1.0, frame.time_s / total_s))
    return Progress(frame.time_s, None, frame.read_ratio)


def _face_time(
    samples: Samples, flags: FaceFlags, ends_s: Floats, facts: PictureFacts, options: VisionOptions
) -> tuple[FaceTime, list[Stretch]]:
    times_s = samples.time_s
    openness = relative_openness(samples.openness, times_s)
    # The iris of a closed eye is a guess of the model's.
    with np.errstate(invalid="ignore"):
        iris = np.where(openness >= DOWN_BELOW, samples.iris, np.nan)
    gaze = track_gaze(iris, samples.yaw_deg, eyes_down(openness, times_s, ends_s))
    away = find_away(gaze, times_s, ends_s, options.away)
    face = FaceTime(
        samples=samples,
        seen=flags.seen,
        ends_s=ends_s,
        duration_s=facts.recording_s,
        blanks_s=tuple(facts.blanks_s),
        gaze=gaze,
        relative_openness=openness,
        away=flags_of(away, len(times_s)),
        blinks=tuple(find_blinks(openness, times_s)),
    )
    return face, away


def _observe(
    face: FaceTime, flags: FaceFlags, away: list[Stretch], options: VisionOptions
) -> tuple[Observation, ...]:
    samples, ends_s = face.samples, face.ends_s
    # A usual direction takes as long to know as the figures do.
    usual_known = face.measured_s >= options.min_face_s
    found = [
        *find_no_face(samples, flags, ends_s, options.min_no_face_s),
        *find_no_picture(face.blanks_s),
        *find_too_small(samples, flags, ends_s),
        *find_second_face(samples, ends_s),
        *(describe_away(face.gaze, face.relative_openness, away, options.away) if usual_known else ()),
    ]
    return tuple(sorted(found, key=lambda observation: (observation.start_s, observation.kind)))


def _quality(samples: Samples, facts: PictureFacts) -> PictureQuality:
    widths = samples.face_width_ratio[samples.measured]
    sharpness = samples.sharpness_score
    return PictureQuality(
        width_px=facts.width_px,
        height_px=facts.height_px,
        frame_rate_hz=facts.frame_rate_hz,
        brightness_ratio=float(samples.brightness_ratio.mean()),
        face_width_ratio=float(np.median(widths)) if len(widths) else None,
        sharpness_score=float(np.median(sharpness)) if len(sharpness) else None,
        corrupt_packet_count=facts.corrupt_packet_count,
        packet_count=facts.packet_count,
    )
