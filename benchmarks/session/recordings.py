"""The sessions that every arm takes: the demo's, a long one, an Indonesian one.

A long recording is a picture shown again and again beside sentences read one after the other. The packets of
the picture are copied, so making five minutes takes a second and no arm decodes our encoder's work.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from faster_whisper import decode_audio
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
DEMO_DIR = ROOT / "demo"
SAMPLE_RATE_HZ = 16000
SOUND_BLOCK = 1024
SOUND_BIT_RATE = 64_000
DEMO, LONG, INDONESIAN = "demo", "long", "indonesian"
NAMES = (DEMO, LONG, INDONESIAN)
LONG_ANSWER_S, LONG_ANSWERS = 300.0, 3
INDONESIAN_ANSWER_S, INDONESIAN_ANSWERS = 60.0, 2
QUICK_ANSWER_S = 30.0
ENGLISH_SOUNDS = (
    "single_male.flac",
    "single_female.flac",
    "two_late_short_same_sex.flac",
    "jfk.flac",
    "two_late_quiet_diff_sex.flac",
    "single_room_change.flac",
    "three_voices.flac",
    "single_noise10.flac",
)
INDONESIAN_SOUNDS = (
    "kartinah_intro.flac",
    "common_voice_garasi.flac",
    "proklamasi_1951.flac",
    "short_01_neutral.flac",
    "short_02_neutral.flac",
)
QUESTIONS = {
    "en": "Tell me about a time you solved a hard problem.",
    "id": "Ceritakan tentang masalah sulit yang pernah Anda selesaikan.",
}

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Session:
    """A session to be taken."""

    name: str
    folder: Path
    """Holds `questions.json` and the recordings that it names, as the demo's folder does."""
    answer_count: int
    duration_s: float
    """Of all answers together."""
    made_of: str
    """What the recordings are made of, for the table."""


def recordings_dir() -> Path | None:
    """Return the folder of real recordings, `None` where there is none."""
    configured = Path(os.environ.get("INTERVIEW_RECORDINGS_DIR", str(ROOT.parent / "shared" / "media")))
    return configured if (configured / "MANIFEST.md").is_file() else None


def make_sessions(folder: Path, names: Sequence[str], *, quick: bool) -> list[Session]:
    """Make the sessions of these names. One that can't be made here is left out.

    Args:
        folder: Receives a folder for each.
        names: Of `NAMES`.
        quick: Make short ones of one answer.
    """
    found = [_make(folder / name, name, quick=quick) for name in names]
    return [session for session in found if session is not None]


def _make(folder: Path, name: str, *, quick: bool) -> Session | None:
    media = recordings_dir()
    if name == DEMO:
        return demo_session()
    if name == LONG:
        seconds, count = (QUICK_ANSWER_S, 1) if quick else (LONG_ANSWER_S, LONG_ANSWERS)
        return long_session(folder, seconds, count)
    if media is None:
        return None
    seconds, count = (QUICK_ANSWER_S, 1) if quick else (INDONESIAN_ANSWER_S, INDONESIAN_ANSWERS)
    sounds = [media / "audio" / "indonesian" / one for one in INDONESIAN_SOUNDS]
    return _spoken(folder, INDONESIAN, _picture(media), sounds, seconds, count, "id")


def demo_session() -> Session:
    """Return the demo's own session."""
    listed = json.loads((DEMO_DIR / "questions.json").read_text(encoding="utf-8"))["answers"]
    seconds = sum(duration_s(DEMO_DIR / answer["file"]) for answer in listed)
    return Session(DEMO, DEMO_DIR, len(listed), seconds, "the demo clips")


def long_session(folder: Path, answer_s: float, answer_count: int, *, name: str = LONG) -> Session:
    """Make an English session of so many answers of so many seconds."""
    media = recordings_dir()
    if media is None:
        return _looped(folder, name, answer_s, answer_count)
    sounds = [media / "audio" / one for one in ENGLISH_SOUNDS]
    return _spoken(folder, name, _picture(media), sounds, answer_s, answer_count, "en")


def duration_s(path: Path) -> float:
    """Return how long a recording lasts, by its container."""
    with av.open(str(path)) as container:
        return float(container.duration or 0) / av.time_base


def _picture(media: Path) -> Path:
    return media / "video" / "synth.mp4"


def _spoken(
    folder: Path,
    name: str,
    picture: Path,
    sounds: Sequence[Path],
    answer_s: float,
    answer_count: int,
    language: str,
) -> Session:
    """Show one picture beside readers. Every answer begins with another reader."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = [np.asarray(decode_audio(str(path), SAMPLE_RATE_HZ), np.float32) for path in sounds]
    for index in range(answer_count):
        turned = [*samples[index % len(samples) :], *samples[: index % len(samples)]]
        write_recording(folder / f"answer-{index + 1}.mp4", picture, np.concatenate(turned), answer_s)
    return _described(folder, name, answer_s, answer_count, language, "recordings: one picture, many readers")


def _looped(folder: Path, name: str, answer_s: float, answer_count: int) -> Session:
    """Play a demo clip again and again: nothing else is at hand."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = sorted(DEMO_DIR.glob("answer-*.mp4"))
    for index in range(answer_count):
        clip = clips[index % len(clips)]
        sound = np.asarray(decode_audio(str(clip), SAMPLE_RATE_HZ), np.float32)
        write_recording(folder / f"answer-{index + 1}.mp4", clip, sound, answer_s)
    return _described(
        folder, name, answer_s, answer_count, "en", "the demo clips again and again (no recordings here)"
    )


def _described(
    folder: Path, name: str, answer_s: float, answer_count: int, language: str, made_of: str
) -> Session:
    files = [f"answer-{index + 1}.mp4" for index in range(answer_count)]
    listed = {
        "candidate_name": "Benchmark",
        "language": language,
        "answers": [{"file": file, "question": QUESTIONS[language]} for file in files],
    }
    (folder / "questions.json").write_text(json.dumps(listed), encoding="utf-8")
    return Session(name, folder, answer_count, answer_s * answer_count, made_of)


def write_recording(path: Path, picture: Path, sound: Sound, seconds: float) -> None:
    """Write an MP4: a picture's packets again and again, and a sound again and again, for so long."""
    partial = path.with_suffix(".partial.mp4")
    with av.open(str(picture)) as source, av.open(str(partial), "w", format="mp4") as target:
        shown = source.streams.video[0]
        video: Any = target.add_stream_from_template(shown)
        audio: Any = target.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono", bit_rate=SOUND_BIT_RATE)
        packets = _packets_again(source, shown, seconds)
        for block in _blocks_again(sound, seconds):
            target.mux(audio.encode(block))
            _mux_until(target, video, packets, block.pts / SAMPLE_RATE_HZ)
        target.mux(audio.encode(None))
        _mux_until(target, video, packets, seconds)
    shutil.move(partial, path)


def _mux_until(target: Any, stream: Any, packets: Iterator[Any], until_s: float) -> None:
    for packet in packets:
        packet.stream = stream
        time_s = float(packet.dts * packet.time_base)
        target.mux(packet)
        if time_s >= until_s:
            return


def _packets_again(source: Any, shown: Any, seconds: float) -> Iterator[Any]:
    """Yield packets from the beginning again and again, in time that goes on."""
    frame_ticks = round(1 / (shown.average_rate * shown.time_base))
    offset = 0
    while True:
        source.seek(0, stream=shown)
        end = 0
        for packet in source.demux(shown):
            if packet.dts is None:
                continue
            packet.pts += offset
            packet.dts += offset
            if float(packet.pts * shown.time_base) >= seconds:
                return
            end = max(end, packet.pts + frame_ticks)
            yield packet
        offset = end


def _blocks_again(sound: Sound, seconds: float) -> Iterator[Any]:
    count = round(seconds * SAMPLE_RATE_HZ)
    for first in range(0, count, SOUND_BLOCK):
        places = np.arange(first, min(first + SOUND_BLOCK, count)) % sound.size
        frame: Any = av.AudioFrame.from_ndarray(sound[None, places], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, first, Fraction(1, SAMPLE_RATE_HZ)
        yield frame
