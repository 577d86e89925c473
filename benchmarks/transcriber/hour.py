"""What a long recording takes of one process: `MALLOC_ARENA_MAX=2 python -m benchmarks.transcriber.hour`.

All of the engine works on all of the sound, with real weights. Only so many pieces go to the model, because
an hour of speech takes it many minutes. The others get its last answer, so that there are as many words.
"""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.resident import resident_mib
from benchmarks.transcriber.arms import LANGUAGE
from benchmarks.transcriber.clips import speech
from benchmarks.transcriber.sharing import speech_of
from chassis.models import locate
from chassis.settings import default_models_dir
from services.transcriber.audio import Samples
from services.transcriber.decoding import DecodedSegment, DecodeRequest, Piece, SpeechModel
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.first_pass import FirstPass
from services.transcriber.settings import TranscriberSettings
from services.transcriber.speech import SileroDetector
from services.transcriber.transcript import Transcript
from services.transcriber.whisper import WhisperSpeechModel

NEVER_SURE = FirstPass(min_avg_logprob=0.0)
"""What goes to the model is then heard twice, the second time padded to 30 s and with every rescue."""


class SomePieces:
    """A speech model that hears one piece of so many. See `SpeechModel`."""

    def __init__(self, model: SpeechModel, every: int) -> None:
        self._model = model
        self._every = every
        self._piece_count = 0
        self._last: list[DecodedSegment] = []

    @property
    def language_codes(self) -> Collection[str]:
        """See `SpeechModel`."""
        return self._model.language_codes

    def fitting(self, text: str) -> str:
        """See `SpeechModel`."""
        return self._model.fitting(text)

    def detect_language(self, speech: Samples, stop: threading.Event) -> Mapping[str, float]:
        """See `SpeechModel`."""
        return self._model.detect_language(speech, stop)

    def try_languages(
        self, speech: Samples, language_codes: Sequence[str], stop: threading.Event
    ) -> Mapping[str, float]:
        """See `SpeechModel`."""
        return self._model.try_languages(speech, language_codes, stop)

    def decode(
        self, piece: Piece, language_code: str, request: DecodeRequest, stop: threading.Event
    ) -> Iterator[DecodedSegment]:
        """See `SpeechModel`. Every answer is a copy, as a model's would be."""
        if self._piece_count % self._every == 0:
            self._last = list(self._model.decode(piece, language_code, request, stop))
        self._piece_count += 1
        yield from (replace(one, words=tuple(replace(word) for word in one.words)) for one in self._last)


def measured(minutes: float, every: int, *, in_doubt: bool) -> dict[str, float]:
    """Return the sizes of this process before, and the peak of a recording of so many minutes."""
    settings = TranscriberSettings()
    folder_of_model = locate(settings.model, default_models_dir()).folder
    rules = NEVER_SURE if in_doubt else settings.first_pass_rules
    model = WhisperSpeechModel(folder_of_model, device="cpu", first_pass=rules)
    model.warm_up()
    loaded = {"loaded_rss_mib": resident_mib("VmRSS"), "loading_peak_rss_mib": resident_mib("VmHWM")}
    transcriber = Transcriber(SomePieces(model, every), SileroDetector(), beam_size=settings.beam_size)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "lengthy.wav"
        clips = [clip for clip in speech() if clip.language_code == LANGUAGE]
        # In a process of its own: what it takes to join the clips is not the engine's.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            pool.submit(speech_of, clips, 60 * minutes, path).result()
        options = TranscribeOptions(language_code=LANGUAGE)
        *_, last = transcriber.transcribe(path, options, threading.Event())
    if not isinstance(last, Transcript):
        raise TypeError("the transcript must come last")
    return {
        **{name: round(value, 1) for name, value in loaded.items()},
        "minutes": minutes,
        "words": sum(len(segment.words) for segment in last.segments),
        "peak_rss_mib": round(resident_mib("VmHWM"), 1),
    }


def main() -> None:
    """Run, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the recording")
    parser.add_argument("--every", type=int, default=40, help="one piece of so many goes to the model")
    parser.add_argument("--in-doubt", action="store_true", help="the model is never sure of a window")
    chosen = parser.parse_args()
    figures = measured(chosen.minutes, chosen.every, in_doubt=chosen.in_doubt)
    table = Table("figure", "value", title="a long recording in one process")
    for name, value in figures.items():
        table.add_row(name, str(value))
    Console(width=110).print(table)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
