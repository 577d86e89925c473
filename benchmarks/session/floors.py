"""What each stage can't go below: `make bench-session.floors`.

The work that nobody can leave out, alone and on one recording: sound and pictures decoded, the face models at
the looks that our way takes, the transcriber's encoder, the speaker's network, a language model that only
reads. CPU seconds for a minute of interview, in one process. `--llm` starts a language model, too.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from faster_whisper import WhisperModel, decode_audio
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.session.arms import LLM_MODEL, llm_server
from benchmarks.session.counting_proxy import CountingProxy
from benchmarks.session.recordings import QUESTIONS, SAMPLE_RATE_HZ, long_session
from benchmarks.vision.baselines import decode_alone, decoded, inferred, ours
from chassis.models import locate
from chassis.settings import default_models_dir
from services.speaker.embedding import VoiceEncoder
from services.speaker.windows import MAX_STEP_S, WINDOW_S
from services.transcriber.pieces import MAX_PIECE_S
from services.transcriber.windows import MARGIN_FRAMES

PADDED_S = 30.0
WORDS_PER_MINUTE = 150
"""Of ordinary speech."""
TOKENS_PER_WORD = 1.4
READ_TIMEOUT_S = 600.0
MS_PER_S = 1000.0
QUIET_FRAMES_PER_S = 100


def cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def timed(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of some work."""
    begin_s = cpu_s()
    work()
    return cpu_s() - begin_s


def encoder_s(sound: NDArray[np.float32], window_s: float, heard_s: float) -> float:
    """Return the CPU seconds of encoding a sound in windows of one length, base in int8 on one thread.

    Args:
        sound: Samples at 16 kHz.
        window_s: What the encoder gets at once, silence at its end included.
        heard_s: How much of the sound a window holds.
    """
    folder = locate("whisper-base", default_models_dir()).folder
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)
    frames, step = round(window_s * QUIET_FRAMES_PER_S), round(heard_s * SAMPLE_RATE_HZ)

    def encode() -> None:
        for first in range(0, sound.size, step):
            features = model.feature_extractor(sound[first : first + step])[:, :frames]
            padded = np.pad(features, ((0, 0), (0, frames - features.shape[1])))
            np.array(model.encode(padded))

    model.encode(np.zeros((80, frames), np.float32))
    return timed(encode)


def voices_s(seconds: float) -> float:
    """Return the CPU seconds of the speaker's network over so much unbroken speech, without spectrograms."""
    encoder = VoiceEncoder(locate("voice-encoder", default_models_dir()).path)
    mels = np.zeros((32, round(WINDOW_S * QUIET_FRAMES_PER_S), 40), np.float32)
    batches = max(1, round(seconds / MAX_STEP_S / len(mels)))
    encoder(mels)
    return timed(lambda: [encoder(mels) for _ in range(batches)])


def reading_s_per_token() -> tuple[float, float]:
    """Return the model's seconds a token: of a prompt that it only reads, and of what it writes."""
    words = " ".join(f"{QUESTIONS['en']} It was number {number}." for number in range(60))
    order = {"model": LLM_MODEL, "messages": [{"role": "user", "content": words}], "temperature": 0}
    with CountingProxy() as proxy, llm_server(proxy):
        reply = httpx.post(
            f"{proxy.target}/v1/chat/completions", json=order | {"max_tokens": 32}, timeout=READ_TIMEOUT_S
        )
    timings = reply.raise_for_status().json()["timings"]
    read_s, written_s = timings["prompt_ms"] / MS_PER_S, timings["predicted_ms"] / MS_PER_S
    return read_s / timings["prompt_n"], written_s / timings["predicted_n"]


def floors(minutes: float, *, llm: bool) -> dict[str, float]:
    """Return CPU seconds a minute of interview, by what is done. A language model's are its own seconds."""
    found: dict[str, float] = {}
    with _recording(minutes) as recording:
        sound = np.asarray(decode_audio(str(recording), SAMPLE_RATE_HZ), np.float32)
        found["sound decoded"] = timed(lambda: decode_audio(str(recording), SAMPLE_RATE_HZ))
        found["pictures decoded"] = timed(lambda: decode_alone(recording))
        seen, _report = ours(recording)
        frames = decoded(recording)
        found["face models at our looks"] = timed(lambda: inferred(frames, seen.looked_ms))
        found["face models at every sample"] = timed(lambda: inferred(frames))
    own_s = MAX_PIECE_S + MARGIN_FRAMES / QUIET_FRAMES_PER_S
    found["speech encoded, own length"] = encoder_s(sound, own_s, MAX_PIECE_S)
    found["speech encoded, padded"] = encoder_s(sound, PADDED_S, PADDED_S)
    found["voices embedded"] = voices_s(minutes * 60)
    per_minute = {name: value / minutes for name, value in found.items()}
    if llm:
        read_s, written_s = reading_s_per_token()
        tokens = WORDS_PER_MINUTE * TOKENS_PER_WORD
        per_minute["the answer read once by the language model"] = tokens * read_s
        per_minute["its translation written, nothing read"] = tokens * written_s
    return {name: round(value, 3) for name, value in per_minute.items()}


@contextmanager
def _recording(minutes: float) -> Any:
    with tempfile.TemporaryDirectory(prefix="bench-floors-") as folder:
        yield long_session(Path(folder), 60 * minutes, 1).folder / "answer-1.mp4"


def main() -> None:
    """Run, print the table, print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=1.0, help="length of the recording; its pictures lie in memory"
    )
    parser.add_argument("--llm", action="store_true", help="also let a language model read and write")
    options = parser.parse_args()
    begin_s = time.monotonic()
    figures = floors(options.minutes, llm=options.llm)
    table = Table("what", "CPU s a minute", title="floors: the work alone, one process")
    for name, value in figures.items():
        table.add_row(name, f"{value:.2f}")
    out = Console(width=110)
    out.print(table)
    out.print(f"measured in {time.monotonic() - begin_s:.0f} s")
    print(json.dumps({name.replace(" ", "_").replace(",", ""): value for name, value in figures.items()}))


if __name__ == "__main__":
    main()
