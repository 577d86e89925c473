"""Many callers of one transcriber: throughput, a short request behind a long one, batches, long files."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ctranslate2
import numpy as np
import soundfile

from benchmarks.transcriber.arms import LANGUAGE, Writer
from benchmarks.transcriber.clips import Clip, word_errors
from chassis.models import locate
from chassis.settings import default_models_dir
from services.transcriber.audio import SAMPLE_RATE_HZ, load_sound
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.settings import TranscriberSettings
from services.transcriber.speech import SileroDetector
from services.transcriber.transcript import Transcript
from services.transcriber.whisper import WhisperSpeechModel

CALLERS = 8
GPU_CALLERS = 16
GPU_BATCH_SIZES = (1, 2, 4, 8, 16, 32)
SHORT_S, LONG_S = 10.0, 600.0
HEAD_START_S = 5.0
"""How long the long request has been at work when the short one comes."""
MAX_CLIP_S = 3600.0


def speech_of(clips: Sequence[Clip], duration_s: float, path: Path) -> Path:
    """Write so many seconds of the clips, one after the other and again, as a WAV file."""
    samples = [load_sound(clip.path, MAX_CLIP_S, threading.Event()).samples for clip in clips]
    joined = np.concatenate(samples)
    count = round(duration_s * SAMPLE_RATE_HZ)
    soundfile.write(path, np.tile(joined, 1 + count // joined.size)[:count], SAMPLE_RATE_HZ)
    return path


def callers(write: Writer, clips: Sequence[Clip]) -> float:
    """Return the throughput of `CALLERS` at once over one caller after the other."""
    paths = [clip.path for clip in clips]
    begin_s = time.perf_counter()
    for path in paths:
        write(path)
    between_s = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(write, paths))
    return (between_s - begin_s) / (time.perf_counter() - between_s)


def short_behind_long(write: Writer, clips: Sequence[Clip], folder: Path) -> float:
    """Return how long a short request takes behind a long one, over its time alone."""
    short = speech_of(clips, SHORT_S, folder / "short.wav")
    long = speech_of(clips, LONG_S, folder / "long.wav")
    write(short)
    begin_s = time.perf_counter()
    write(short)
    alone_s = time.perf_counter() - begin_s
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(write, long)
        time.sleep(HEAD_START_S)
        begin_s = time.perf_counter()
        write(short)
        behind_s = time.perf_counter() - begin_s
        if running.done():
            raise RuntimeError("the long request ended before the short one; make LONG_S longer")
        running.result()
    return behind_s / alone_s


def shared(model: str, max_batch_size: int, *, device: str = "cpu") -> Callable[[Path], Transcript]:
    """Load a model that serves many callers, with the service's defaults but for the batch size."""
    settings = TranscriberSettings()
    speech_model = WhisperSpeechModel(
        locate(model, default_models_dir()).folder,
        device=device,
        max_batch_size=max_batch_size,
        first_pass=settings.first_pass_rules,
    )
    speech_model.warm_up()
    transcriber = Transcriber(speech_model, SileroDetector(), beam_size=settings.beam_size)

    def write(path: Path) -> Transcript:
        *_, last = transcriber.transcribe(path, TranscribeOptions(language_code=LANGUAGE), threading.Event())
        if not isinstance(last, Transcript):
            raise TypeError("the transcript must come last")
        return last

    return write


def batches(model: str, clips: Sequence[Clip]) -> dict[str, float]:
    """Return how many words batches that mix callers change, and what the guards cost on speech."""
    paths = [clip.path for clip in clips]
    alone = list(map(shared(model, 1), paths))
    with ThreadPoolExecutor(CALLERS) as pool:
        mixed = list(pool.map(shared(model, CALLERS), paths))
    segments = [segment for transcript in alone for segment in transcript.segments]
    flagged = sum(len(segment.words) for segment in segments if segment.flags)
    return {
        "batched_word_difference": word_errors(list(map(text_of, alone)), list(map(text_of, mixed))),
        "guard_cost": flagged / sum(len(segment.words) for segment in segments),
        "uncovered_speech": sum(t.uncovered_speech_s for t in alone) / sum(t.speech_s for t in alone),
    }


def text_of(transcript: Transcript) -> str:
    """Return the words of a transcript."""
    return " ".join(segment.text for segment in transcript.segments)


def gpu_throughput(model: str, clips: Sequence[Clip]) -> dict[int, float] | None:
    """Return the throughput at `GPU_CALLERS` over one window at a time, by batch size; None without a GPU."""
    if ctranslate2.get_cuda_device_count() == 0:
        return None
    paths = [clip.path for clip in clips] * 4
    took_s = {}
    for size in GPU_BATCH_SIZES:
        write = shared(model, size, device="cuda")
        with ThreadPoolExecutor(GPU_CALLERS) as pool:
            begin_s = time.perf_counter()
            list(pool.map(write, paths))
        took_s[size] = time.perf_counter() - begin_s
    return {size: took_s[1] / seconds for size, seconds in took_s.items()}
