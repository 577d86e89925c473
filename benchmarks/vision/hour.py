"""What an hour of video takes of one process: `MALLOC_ARENA_MAX=2 python -m benchmarks.vision.hour`.

First the orchestrator's extraction, whose child decodes the sound. Then the vision engine with its own child,
which decodes the pictures. The face model really looks at one picture of so many, because an hour takes it
many minutes. The other looks get its last answer, so that there are as many. Each of the two has a process of
its own, so that neither is measured with the other's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.session.process_trees import Watch
from benchmarks.session.recordings import long_session
from benchmarks.vision.baselines import face_detector, model_path
from chassis.store import MediaStore
from orchestrator.settings import OrchestratorSettings
from orchestrator.stages.extract import ExtractionLimits, Extractor, ExtractRequest
from services.vision.engine import VisionAnalyzer, VisionOptions
from services.vision.frames import RgbImage, picture_decoder
from services.vision.landmarks import Mesh
from services.vision.mediapipe_models import MediaPipeLandmarker
from services.vision.report import VisionReport
from services.vision.settings import VisionSettings

TARGET_MIB = 400
EXTRACTION_TIMEOUT_S = 3600.0
Peaks = dict[str, float]


class SomeLooks:
    """A landmarker that looks at one picture of so many."""

    def __init__(self, every: int) -> None:
        self._landmarker = MediaPipeLandmarker(model_path("face-landmarker-full-range"))
        self._every = every
        self._count = 0
        self._last: Mesh | None = None

    def find(self, image: RgbImage, time_ms: int) -> Mesh | None:
        """See `Landmarker`. Every answer is a copy, as the model's would be."""
        if self._count % self._every == 0:
            self._last = self._landmarker.find(image, time_ms)
        self._count += 1
        return None if self._last is None else self._last.copy()

    def close(self) -> None:
        """See `Landmarker`."""
        self._landmarker.close()


def watched(name: str, work: Callable[[], float]) -> Peaks:
    """Return the peaks of this process and of its largest child, and what the work returned."""
    with Watch({name: os.getpid()}) as watch:
        seen = work()
    return {
        f"{name}_seen": round(seen, 1),
        f"{name}_mib": round(watch.used.peak_rss_mib[name], 1),
        f"{name}_child_mib": round(watch.used.child_peak_rss_mib[name], 1),
    }


def extraction(recording: Path) -> Peaks:
    """Extract the sound as the orchestrator does. Seen: seconds of sound."""
    limits = ExtractionLimits.of(OrchestratorSettings(), EXTRACTION_TIMEOUT_S)
    extractor = Extractor(MediaStore(recording.parent.as_uri()), limits)

    def work() -> float:
        found = asyncio.run(extractor.extract(ExtractRequest(recording.name, "sound.wav")))
        return float(found.duration_s)

    return watched("extraction", work)


def looking(recording: Path, every: int) -> Peaks:
    """Look as the vision stage does. Seen: looks of the face model."""
    settings = VisionSettings()
    decoder = picture_decoder(settings.decoder_limits, keeps_spare=False, worker_count=1, growing_count=0)
    analyzer = VisionAnalyzer(lambda: SomeLooks(every), face_detector, (), VisionOptions(), decoder)

    def work() -> float:
        *_, report = analyzer.analyze(recording, threading.Event())
        if not isinstance(report, VisionReport):
            raise TypeError("the report must come last")
        return float(report.inferred_frame_count)

    return watched("vision", work)


def measured(minutes: float, every: int) -> Peaks:
    """Return the peaks of a recording of so many minutes."""
    peaks: Peaks = {"minutes": minutes}
    with TemporaryDirectory(prefix="bench-hour-") as folder:
        recording = long_session(Path(folder), 60 * minutes, 1).folder / "answer-1.mp4"
        for work, arguments in ((extraction, (recording,)), (looking, (recording, every))):
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                peaks |= pool.submit(work, *arguments).result()
    return peaks


def main() -> None:
    """Run, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the recording, 60 at most")
    parser.add_argument("--every", type=int, default=20, help="one look of so many is a real one")
    chosen = parser.parse_args()
    peaks = measured(chosen.minutes, chosen.every)
    table = Table("figure", "value", title=f"a long recording; target: {TARGET_MIB} MiB in any process")
    for name, value in peaks.items():
        table.add_row(name, str(value))
    Console(width=110).print(table)
    print(json.dumps(peaks))


if __name__ == "__main__":
    main()
