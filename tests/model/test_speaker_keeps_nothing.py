"""An embedding is gone when the call ends: files, log lines, figures and replies of a run are searched."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest

from chassis.models import locate
from chassis.playback.loading import load_sound
from interview.v1 import speaker_pb2, speaker_pb2_grpc
from services.speaker.__main__ import silero_weights
from services.speaker.clustering import Projection
from services.speaker.embedding import VoiceEncoder
from services.speaker.voice_activity import SileroSpeechModel, levelled_blocks, speech_stretches
from services.speaker.windows import windows_of
from tests.folders import ROOT

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]


RECORDING = ROOT / "demo" / "answer-2.mp4"
START_TIMEOUT_S = 120.0
CALL_TIMEOUT_S = 120.0
RUN_LENGTH = 3
"""Numbers in a row of a vector that are no accident."""
DIGITS = 5
"""Decimals of a number that are no accident."""
NUMBER = re.compile(r"-?\d+\.\d{5,}")


def vectors_of(recording: Path, models_dir: Path) -> list[np.ndarray]:
    """The embeddings of a recording's windows, and what clustering makes of them."""
    sound = load_sound(recording, 600.0, threading.Event())
    assert sound is not None
    model = SileroSpeechModel(silero_weights())
    probabilities = np.concatenate(list(model.probabilities(levelled_blocks(sound.samples, 0))))
    windows = windows_of(speech_stretches(probabilities, sound.duration_s))
    encoder = VoiceEncoder(locate("voice-encoder", models_dir).path)
    embeddings = np.zeros((len(windows), 256), np.float32)
    for batch, found in encoder.embed(sound.samples, windows):
        embeddings[batch] = found
    projected = Projection.load().apply(embeddings)
    return [*embeddings, *projected, embeddings.mean(axis=0), projected.mean(axis=0)]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def traces(content: bytes, vectors: list[np.ndarray]) -> list[str]:
    """What of the vectors is in some bytes: runs of numbers in binary, or single numbers as text."""
    found = [
        f"{RUN_LENGTH} numbers as {kind}"
        for vector in vectors
        for kind in (np.float16, np.float32, np.float64)
        for start in range(0, len(vector) - RUN_LENGTH + 1, RUN_LENGTH)
        if (run := vector[start : start + RUN_LENGTH]).all() and run.astype(kind).tobytes() in content
    ]
    numbers = {round(float(value), DIGITS) for vector in vectors for value in vector if abs(value) > 0.01}
    said = {round(float(text), DIGITS) for text in NUMBER.findall(content.decode("utf-8", "replace"))}
    # One number may be a coincidence, a handful is none.
    return found + ([f"{len(said & numbers)} numbers as text"] if len(said & numbers) > RUN_LENGTH else [])


def requests() -> Iterator[speaker_pb2.DiarizeRequest]:
    yield speaker_pb2.DiarizeRequest(config=speaker_pb2.DiarizeConfig())
    yield speaker_pb2.DiarizeRequest(chunk=RECORDING.read_bytes())


def test_the_search_finds_a_vector_however_it_is_written() -> None:
    vector = np.random.default_rng(0).normal(size=256).astype(np.float32)

    assert traces(b"header" + vector.tobytes(), [vector])
    assert traces(vector.astype(np.float64).tobytes(), [vector])
    assert traces(str(vector.tolist()).encode(), [vector])
    assert not traces(b'{"probability": 0.98123, "seconds": 4.25000}', [vector])


def test_a_run_leaves_no_embedding_in_any_file_log_figure_or_reply(tmp_path: Path, models_dir: Path) -> None:
    vectors = vectors_of(RECORDING, models_dir)
    port, metrics_port = free_port(), free_port()
    environment = os.environ | {
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SPEAKER_PORT": str(port),
        "SPEAKER_METRICS_PORT": str(metrics_port),
        "SPEAKER_LOG_LEVEL": "DEBUG",
        "SPEAKER_MODELS_DIR": str(models_dir),
    }
    environment.pop("ORT_DISABLE_TELEMETRY", None)  # this process may have set it
    log = tmp_path / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.speaker"],
            cwd=tmp_path, env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                grpc.channel_ready_future(channel).result(timeout=START_TIMEOUT_S)
                call = speaker_pb2_grpc.SpeakerServiceStub(channel).Diarize(
                    requests(), timeout=CALL_TIMEOUT_S
                )
                replies = b"".join(reply.SerializeToString() for reply in call)
            metrics = urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10).read()
        finally:
            process.terminate()
            process.wait()

    assert b"second_voice" in replies
    assert traces(replies, vectors) == []
    assert traces(metrics, vectors) == []
    # Neither the recording nor anything made of it stays, nor what libraries would leave about themselves.
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [log]
    assert log.stat().st_size > 0
    assert traces(log.read_bytes(), vectors) == []
