"""The transcriber's languages, hints, tasks and passes, with the real weights."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chassis.errors import CancelledCallError, InvalidInputError
from chassis.models import locate
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.first_pass import FirstPass
from services.transcriber.speech import SileroDetector
from services.transcriber.transcript import Segment
from services.transcriber.whisper import WhisperSpeechModel
from tests.fakes.transcriber import write_wav
from tests.folders import ROOT
from tests.spoken_words import DEMO, transcript_of
from tests.transcriber_weights import loaded, noise

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def base(models_dir: Path) -> Transcriber:
    return loaded("whisper-base", models_dir)


@pytest.fixture(scope="module")
def tiny_en(models_dir: Path) -> Transcriber:
    return loaded("whisper-tiny.en", models_dir)


def test_what_the_model_is_not_sure_of_at_its_own_length_is_written_as_if_it_were_padded_at_once(
    tiny_en: Transcriber, models_dir: Path
) -> None:
    folder = locate("whisper-tiny.en", models_dir).folder
    never_sure, padded = (
        Transcriber(WhisperSpeechModel(folder, device="cpu", first_pass=rules), SileroDetector())
        for rules in (FirstPass(min_avg_logprob=0.0), None)
    )
    expected = transcript_of(padded, DEMO / "answer-1.mp4").segments

    assert transcript_of(never_sure, DEMO / "answer-1.mp4").segments == expected
    assert transcript_of(tiny_en, DEMO / "answer-1.mp4").segments != expected


def test_more_threads_for_encoding_change_no_word(tiny_en: Transcriber, models_dir: Path) -> None:
    folder = locate("whisper-tiny.en", models_dir).folder
    model = WhisperSpeechModel(folder, device="cpu", cpu_threads=2, first_pass=FirstPass())
    transcriber = Transcriber(model, SileroDetector())
    with_two, with_one = (
        [segment.text for segment in transcript_of(one, DEMO / "answer-2.mp4").segments]
        for one in (transcriber, tiny_en)
    )

    assert with_two == with_one


def test_listening_leaves_no_device_id_and_no_report_of_use(tmp_path: Path) -> None:
    script = (
        "import numpy\nfrom services.transcriber.speech import SileroDetector\n"
        "print(sum(map(len, SileroDetector().probabilities(numpy.zeros(16000, 'float32')))))"
    )
    environment = os.environ | {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, check=True
    )

    assert shown.stdout.strip() == b"32"  # frames of 32 ms, the last one filled up
    assert list(tmp_path.rglob("*")) == []


def test_cancelling_ends_the_work_within_a_window(base: Transcriber, recordings: Path) -> None:
    stop = threading.Event()
    events = base.transcribe(recordings / "audio" / "three_voices.flac", TranscribeOptions(), stop)
    next(event for event in events if isinstance(event, Segment))
    stop.set()
    begin_s = time.process_time()  # Of both threads. What runs beside them makes the wall's clock go on.

    with pytest.raises(CancelledCallError):
        list(events)
    assert time.process_time() - begin_s < 2 * 1.0


def test_a_multilingual_model_lists_indonesian_and_only_languages_that_it_has(base: Transcriber) -> None:
    assert {"id", "en", "jv", "ms"} <= set(base.language_codes)
    assert len(base.language_codes) == 99
    assert "yue" not in base.language_codes  # only newer models have a token for Cantonese


def test_an_english_model_lists_english_and_refuses_the_rest(tiny_en: Transcriber, tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "a.wav", noise("silence", 1.0))

    assert tiny_en.language_codes == ["en"]
    with pytest.raises(InvalidInputError) as raised:
        transcript_of(tiny_en, recording, TranscribeOptions(language_code="id"))
    assert raised.value.reason == "LANGUAGE_UNSUPPORTED"


@pytest.mark.recordings
@pytest.mark.parametrize(
    "hint",
    [
        lambda: "Anglo-Saxon, " * 70,
        lambda: "你好世界" * 250,
        lambda: "🙂" * 1000,
        lambda: "\x00<|en|> " * 100,
    ],
)
def test_hints_at_their_limit_leave_room_for_the_words(
    tiny_en: Transcriber, recordings: Path, hint: Callable[[], str]
) -> None:
    options = TranscribeOptions(hotwords=hint()[:1000], prompt=hint()[:1000])
    transcript = transcript_of(tiny_en, recordings / "audio" / "jfk.flac", options)

    assert transcript.segments
    assert transcript.real_time_factor_ratio < 10


@pytest.mark.recordings
def test_the_translate_task_and_a_forced_language_run(base: Transcriber, recordings: Path) -> None:
    options = TranscribeOptions(language_code="id", task="translate", beam_size=1)
    transcript = transcript_of(base, recordings / "audio" / "jfk.flac", options)

    assert (transcript.language_code, transcript.language_probability) == ("id", None)
    assert transcript.segments
