"""Pure: how good a recording is, so that a reader knows how far to trust the rest."""

from __future__ import annotations

import math

from orchestrator.result.answer_outputs import AnswerOutputs
from orchestrator.result.figures import Figure
from orchestrator.result.values import Json, number, optional
from orchestrator.workflow import EXTRACT, NO_AUDIO, NO_VIDEO

FACTS = (
    "duration_s",
    "clock_offset_s",
    "container",
    "sound_codec",
    "picture_codec",
    "sound_track_count",
    "picture_track_count",
    "width_px",
    "height_px",
)
"""What a player needs to know of a recording."""

SILENT_RATIO = 1 / 32_768
"""The last of 16 bits. Below there is nothing to take a logarithm of."""


def recording_figures(outputs: AnswerOutputs) -> dict[str, Figure]:
    """Return what the extraction measured of picture and sound."""
    extraction = outputs.extraction
    if extraction is None:
        record = outputs.records[EXTRACT]
        return {"duration": Figure("duration", None, "s", outcome=record.outcome, reason=record.message)}
    figures = [Figure("duration", extraction.duration_s, "s")]
    if extraction.HasField("picture") and extraction.picture.HasField("frame_rate_hz"):
        figures.append(Figure("frame_rate", extraction.picture.frame_rate_hz, "fps"))
    else:
        lost = extraction.picture_codec and not extraction.HasField("picture")
        reason = "The picture could not be read." if lost else "There is no moving picture."
        figures.append(Figure("frame_rate", None, "fps", outcome=NO_VIDEO, reason=reason))
    figures += _sound(outputs)
    return {figure.name: figure for figure in figures}


def recording_facts(outputs: AnswerOutputs) -> Json:
    """Return what a player needs to know of a recording: its container, codecs, size and clock.

    A fact is null where nobody read it, or where the track is absent.
    """
    extraction = outputs.extraction
    if extraction is None:
        return dict.fromkeys(FACTS)
    sound = extraction.sound if extraction.HasField("sound") else None
    picture = extraction.picture if extraction.HasField("picture") else None
    facts = (
        number(extraction.duration_s, 3),
        optional(extraction, "clock_offset_s", 3),
        extraction.container or None,
        extraction.sound_codec or (sound.codec if sound else "") or None,
        extraction.picture_codec or (picture.codec if picture else "") or None,
        extraction.sound_track_count or None,
        extraction.picture_track_count or None,
        (picture.width_px if picture else 0) or None,
        (picture.height_px if picture else 0) or None,
    )
    return dict(zip(FACTS, facts, strict=True))


def _sound(outputs: AnswerOutputs) -> list[Figure]:
    units = {"loudness": "dbfs", "peak": "dbfs", "clipping": "ratio", "signal_to_noise": "db"}
    extraction = outputs.extraction
    if extraction is None or not extraction.HasField("sound"):
        lost = extraction is not None and extraction.sound_codec
        reason = "The sound could not be read." if lost else "The recording has no sound track."
        return [Figure(name, None, unit, outcome=NO_AUDIO, reason=reason) for name, unit in units.items()]
    sound = extraction.sound
    values = {
        "loudness": _decibels(sound.loudness_ratio),
        "peak": _decibels(sound.peak_ratio),
        "clipping": sound.clipping_ratio,
        "signal_to_noise": _signal_to_noise(sound.loud_ratio, sound.quiet_ratio),
    }
    return [
        Figure(name, value, units[name])
        if value is not None
        else Figure(
            name, None, units[name], outcome="INSUFFICIENT_EVIDENCE", reason="It is digitally silent."
        )
        for name, value in values.items()
    ]


def _decibels(ratio: float) -> float | None:
    return 20 * math.log10(ratio) if ratio >= SILENT_RATIO else None


def _signal_to_noise(loud_ratio: float, quiet_ratio: float) -> float | None:
    loud, quiet = _decibels(loud_ratio), _decibels(quiet_ratio)
    return None if loud is None or quiet is None else loud - quiet
