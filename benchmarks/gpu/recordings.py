"""The recordings to transcribe, as the service gets them: 16 kHz mono WAV, as the extraction writes it."""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event

import numpy as np

from services.transcriber.audio import SAMPLE_RATE_HZ, load_sound

LIST = "recordings.json"
MAX_DURATION_S = 600.0


@dataclass(frozen=True)
class Recording:
    """One recording."""

    path: Path
    duration_s: float
    language_code: str


def write_recordings(sources: Sequence[tuple[Path, str]], folder: Path) -> list[Recording]:
    """Write the sound of files, each with its language, into a folder, with a list of them."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for source, language_code in sources:
        samples = load_sound(source, MAX_DURATION_S, Event()).samples
        path = folder / f"{len(written) + 1:02d}-{source.stem}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
        written.append(Recording(path, len(samples) / SAMPLE_RATE_HZ, language_code))
    rows = [asdict(recording) | {"path": recording.path.name} for recording in written]
    (folder / LIST).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return written


def read_recordings(folder: Path) -> list[Recording]:
    """Return what `write_recordings` wrote."""
    rows = json.loads((folder / LIST).read_text(encoding="utf-8"))
    return [
        Recording(folder / row["path"], float(row["duration_s"]), str(row["language_code"])) for row in rows
    ]
