"""What was seen for a stretch of the recording, from samples and looks. Pure.

Each kind says in its reason what it does not mean. None of them moves a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from chassis.playback.recording_warnings import NOTABLE_S
from services.vision.blinks import DOWN_BELOW
from services.vision.faces import SMALL_FACE_RATIO, Look
from services.vision.gaze import AwayThresholds, GazeTrack
from services.vision.report import Observation
from services.vision.samples import Samples
from services.vision.stretches import Flags, Floats, Stretch, find_stretches, flags_of

KINDS = ("no_face", "second_face", "looking_away", "face_too_small", "no_picture")

MIN_NO_FACE_S = 1.0
MIN_LOOKS = 2
"""Looks in a row that must agree on a second face: one alone may be a poster, a glitch, a passer-by."""
MIN_SECOND_FACE_S = 0.5
"""Looks come closer together where the face's mesh comes and goes. Such a pair proves nothing."""
SECOND_FACE_COUNT = 2


@dataclass(frozen=True, slots=True)
class FaceFlags:
    """Which samples show a face."""

    seen: Flags
    """A mesh, or a face that the detector is sure of."""
    too_small: Flags
    """Nothing sure, but something like a face under `SMALL_FACE_RATIO` of the picture's width."""


def face_flags(samples: Samples, ends_s: Floats, min_s: float = MIN_NO_FACE_S) -> FaceFlags:
    """Decide for each sample whether a face is seen, by its mesh and the last look.

    Without a mesh one look alone proves nothing: the one before or after it must agree. Something too
    small for less than `min_s` is nobody.
    """
    measured = samples.measured
    sure = np.zeros(len(samples.time_s), dtype=np.bool_)
    small = np.zeros(len(samples.time_s), dtype=np.bool_)
    looks = samples.looks
    for before, look, after in zip((None, *looks[:-1]), looks, (*looks[1:], None), strict=True):
        beside = [other for other in (before, after) if other is not None]
        alone = not any(other.face_count for other in beside)
        sure[look.sample :] = look.face_count > 0 and (bool(measured[look.sample]) or not alone)
        small[look.sample :] = look.small_width_ratio > 0 and any(o.small_width_ratio for o in beside)
    seen = measured | sure
    lasting = [s for s in find_stretches(small & ~seen, samples.time_s, ends_s) if s.length_s >= min_s]
    return FaceFlags(seen=seen, too_small=flags_of(lasting, len(seen)))


def find_no_face(samples: Samples, flags: FaceFlags, ends_s: Floats, min_s: float) -> list[Observation]:
    """Find where nobody is in the picture."""
    stretches = find_stretches(~flags.seen & ~flags.too_small, samples.time_s, ends_s)
    return [
        Observation(
            kind="no_face",
            start_s=stretch.start_s,
            end_s=stretch.end_s,
            value=stretch.length_s,
            threshold=min_s,
            unit="s",
            reason="No face was found in the picture. It does not say why. The person may have left, "
            "turned away or covered the camera.",
        )
        for stretch in stretches
        if stretch.length_s >= min_s
    ]


def find_no_picture(blanks_s: Sequence[tuple[float, float]]) -> list[Observation]:
    """Say where there is nothing to look at."""
    return [
        Observation(
            kind="no_picture",
            start_s=start_s,
            end_s=end_s,
            value=end_s - start_s,
            threshold=NOTABLE_S,
            unit="s",
            reason="The picture stands still or is missing here, so nothing was looked at. It does not say "
            "why. The camera, the computer or the connection may have stopped.",
        )
        for start_s, end_s in blanks_s
    ]


def find_too_small(samples: Samples, flags: FaceFlags, ends_s: Floats) -> list[Observation]:
    """Find where somebody may be in the picture, but too far away to tell."""
    widths = np.zeros(len(samples.time_s))
    for look in samples.looks:
        widths[look.sample :] = look.small_width_ratio
    stretches = find_stretches(flags.too_small, samples.time_s, ends_s)
    return [
        Observation(
            kind="face_too_small",
            start_s=stretch.start_s,
            end_s=stretch.end_s,
            value=float(np.median(widths[stretch.first : stretch.last + 1])),
            threshold=SMALL_FACE_RATIO,
            unit="ratio",
            reason="Something like a face is in the picture, too small to be sure of or to measure. "
            "A chair closer to the camera would help.",
        )
        for stretch in stretches
    ]


def find_second_face(samples: Samples, ends_s: Floats) -> list[Observation]:
    """Find where more than one face is seen in at least `MIN_LOOKS` looks in a row."""
    found: list[Observation] = []
    run: list[Look] = []
    for look in samples.looks:
        if look.face_count >= SECOND_FACE_COUNT:
            run.append(look)
            continue
        found += _second_face(run, samples, float(samples.time_s[look.sample]))
        run = []
    if run:
        found += _second_face(run, samples, float(ends_s[-1]))
    return found


def _second_face(run: list[Look], samples: Samples, end_s: float) -> list[Observation]:
    if len(run) < MIN_LOOKS:
        return []
    start_s, last_s = float(samples.time_s[run[0].sample]), float(samples.time_s[run[-1].sample])
    if last_s - start_s < MIN_SECOND_FACE_S:
        return []
    return [
        Observation(
            kind="second_face",
            start_s=start_s,
            end_s=end_s,
            value=float(max(look.face_count for look in run)),
            threshold=float(SECOND_FACE_COUNT),
            unit="count",
            reason="More than one face was in the picture, looked at about once a second. It does not say "
            "whose. A picture on the wall or somebody passing by counts as well.",
        )
    ]


def describe_away(
    track: GazeTrack, relative_openness: Floats, stretches: list[Stretch], thresholds: AwayThresholds
) -> list[Observation]:
    """Say for each stretch of looking away what was off: the head, the eyes, or the lids."""
    return [_away(track, relative_openness, stretch, thresholds) for stretch in stretches]


def _away(track: GazeTrack, openness: Floats, stretch: Stretch, thresholds: AwayThresholds) -> Observation:
    span = slice(stretch.first, stretch.last + 1)
    gaze, yaw, down = track.gaze_off_deg[span], track.yaw_off_deg[span], track.down[span]
    with np.errstate(invalid="ignore"):
        turned, aside = yaw > thresholds.yaw_deg, gaze > thresholds.gaze_deg
    causes = {
        "head": (int(turned.sum()), yaw[turned], thresholds.yaw_deg, "deg", "The head was turned aside"),
        "eyes": (int(aside.sum()), gaze[aside], thresholds.gaze_deg, "deg", "The eyes looked aside"),
        "lids": (int(down.sum()), openness[span][down], DOWN_BELOW, "ratio", "The eyes were lowered or shut"),
    }
    _, values, threshold, unit, what = max(causes.values(), key=lambda cause: cause[0])
    return Observation(
        kind="looking_away",
        start_s=stretch.start_s,
        end_s=stretch.end_s,
        value=float(np.nanmedian(values)),
        threshold=threshold,
        unit=unit,
        reason=f"{what}, against this recording's usual direction. People look away to think. "
        "It does not say at what they looked.",
    )
