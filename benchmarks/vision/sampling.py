"""What it costs to look more or less often, and what is observed then, on the demo clips."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from rich.console import Console
from rich.table import Table

from benchmarks.vision.baselines import ours
from benchmarks.vision.clip import ROOT
from services.vision.attention import AttentionRules
from services.vision.engine import VisionOptions
from services.vision.report import VisionReport

DEMO = ROOT / "demo"
MAX_EDGE_ERROR_S = 0.3
"""How far from the truth an event may begin or end and still be found."""
EVERY_SAMPLE = AttentionRules(max_unseen_change=0.0)
DEFAULT = "10, where something changed"
SHAPES = ("smile_intensity", "smile_variation", "brow_movement", "head_movement", "eye_contact_ratio")
"""Measures that fewer looks might move."""

SETTINGS = {
    "30, every sample": VisionOptions(sample_rate_hz=30.0, attention=EVERY_SAMPLE),
    "10, every sample": VisionOptions(attention=EVERY_SAMPLE),
    DEFAULT: VisionOptions(),
    "10, twice the change": VisionOptions(attention=AttentionRules(max_unseen_change=0.9)),
    "10, regular looks only": VisionOptions(attention=AttentionRules(max_unseen_change=1e9)),
    "6, every sample": VisionOptions(sample_rate_hz=6.0, attention=EVERY_SAMPLE),
    "5, every sample": VisionOptions(sample_rate_hz=5.0, attention=EVERY_SAMPLE),
    "3, every sample": VisionOptions(sample_rate_hz=3.0, attention=EVERY_SAMPLE),
}
"""Samples a second, and which of them are looked at."""
FULL = "10, every sample"
HURRY = 2
"""The same clips so many times as fast: blinks of 0.15 s, shut for 0.08 s (`demo/make_clip.py`)."""


@dataclass(frozen=True)
class Truth:
    """What is to be found in one clip."""

    path: Path
    blink_count: int
    absent_s: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Point:
    """One setting's cost and observations over all clips."""

    cpu_s: float
    sampled: int
    looked: int
    blinks: float | None
    """Counted; None where the setting is too coarse to count."""
    short_blinks: float | None
    """The same in clips that run `HURRY` times as fast."""
    events_found: int
    events_false: int
    most_moved_ratio: float
    """Largest relative change of a measure against looking at every sample."""


def truths() -> list[Truth]:
    """Read the truth of the demo clips."""
    answers = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))["answers"]
    return [
        Truth(
            DEMO / answer["file"],
            len(answer["blinks_s"]),
            tuple((gone["start_s"], gone["end_s"]) for gone in answer["no_face"]),
        )
        for answer in answers
    ]


def hurried(truth: Truth, folder: Path) -> Truth:
    """Write a clip with its times divided by `HURRY`; pictures stay as they are."""
    path = folder / truth.path.name
    with av.open(str(truth.path)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is None or packet.dts is None:
                continue
            packet.pts, packet.dts, packet.stream = packet.pts // HURRY, packet.dts // HURRY, stream
            target.mux(packet)
    return replace(truth, path=path)


def curve(out: Console) -> dict[str, float]:
    """Run every setting, print the curve, and return its figures."""
    with TemporaryDirectory() as folder:
        return _curve(out, truths(), [hurried(truth, Path(folder)) for truth in truths()])


def _curve(out: Console, known: Sequence[Truth], fast: Sequence[Truth]) -> dict[str, float]:
    blink_count = sum(truth.blink_count for truth in known)
    event_count = sum(len(truth.absent_s) for truth in known)
    reports: dict[str, list[VisionReport]] = {}
    points: dict[str, Point] = {}
    for name, options in SETTINGS.items():
        begin_s = time.process_time()
        reports[name] = [ours(truth.path, options)[1] for truth in known]
        cpu_s = time.process_time() - begin_s
        short_blinks = _blinks([ours(truth.path, options)[1] for truth in fast])
        points[name] = _point(cpu_s, reports[name], short_blinks, known, reports.get(FULL, reports[name]))
    columns = (
        "samples a second",
        "looked at",
        "CPU s",
        "blinks",
        "short blinks",
        "events",
        "false",
        "moved by",
    )
    table = Table(*columns, title="what fewer looks cost: the demo clips")
    for name, point in points.items():
        blinks = [
            "–" if count is None else f"{count:.0f} of {blink_count}"
            for count in (point.blinks, point.short_blinks)
        ]
        table.add_row(
            name,
            f"{point.looked} of {point.sampled}",
            f"{point.cpu_s:.1f}",
            *blinks,
            f"{point.events_found} of {event_count}",
            str(point.events_false),
            f"{point.most_moved_ratio:.1%}",
        )
    out.print(table)
    full, default = points[FULL], points[DEFAULT]
    return {
        "looked_ratio": default.looked / default.sampled,
        "adaptive_cost": default.cpu_s / full.cpu_s,
        "adaptive_blinks_counted_ratio": (default.blinks or 0.0) / blink_count,
        "full_blinks_counted_ratio": (full.blinks or 0.0) / blink_count,
        "adaptive_short_blinks_counted_ratio": (default.short_blinks or 0.0) / blink_count,
        "full_short_blinks_counted_ratio": (full.short_blinks or 0.0) / blink_count,
        "adaptive_event_recall": default.events_found / max(1, event_count),
        "adaptive_events_false": default.events_false,
        "adaptive_measures_moved": default.most_moved_ratio,
    }


def _blinks(reports: Sequence[VisionReport]) -> float | None:
    counts = [_value(report, "blink_count") for report in reports]
    return None if any(count is None for count in counts) else sum(count or 0.0 for count in counts)


def _point(
    cpu_s: float,
    reports: Sequence[VisionReport],
    short_blinks: float | None,
    known: Sequence[Truth],
    full: Sequence[VisionReport],
) -> Point:
    found = false = 0
    for report, truth in zip(reports, known, strict=True):
        seen = [(event.start_s, event.end_s) for event in report.observations]
        hits = [any(_close(event, other) for other in seen) for event in truth.absent_s]
        found += sum(hits)
        false += sum(not any(_close(event, other) for other in truth.absent_s) for event in seen)
    moved = [
        abs(now - before) / before
        for report, whole in zip(reports, full, strict=True)
        for name in SHAPES
        if (now := _value(report, name)) is not None and (before := _value(whole, name))
    ]
    return Point(
        cpu_s,
        sum(report.sampled_frame_count for report in reports),
        sum(report.inferred_frame_count for report in reports),
        _blinks(reports),
        short_blinks,
        found,
        false,
        max(moved, default=0.0),
    )


def _close(event: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(mine - theirs) <= MAX_EDGE_ERROR_S for mine, theirs in zip(event, other, strict=True))


def _value(report: VisionReport, name: str) -> float | None:
    (measure,) = [measure for measure in report.measures if measure.name == name]
    return measure.value
