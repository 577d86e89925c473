"""The transcriber with real weights: nothing on sound without speech, few word errors on speech."""

from __future__ import annotations

import json
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from chassis.models import locate
from services.transcriber.audio import SAMPLE_RATE_HZ
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.first_pass import FirstPass
from services.transcriber.speech import FRAME_SAMPLES, SileroDetector
from services.transcriber.transcript import TranscriptOutcome
from services.transcriber.whisper import WhisperSpeechModel
from tests.fakes.transcriber import write_wav
from tests.spoken_words import DEMO, text_of, transcript_of, word_errors
from tests.transcriber_weights import loaded, noise

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]
JFK = (
    "And so my fellow Americans ask not what your country can do for you, "
    "ask what you can do for your country."
)


@pytest.fixture(scope="module")
def base(models_dir: Path) -> Transcriber:
    return loaded("whisper-base", models_dir)


@pytest.fixture(scope="module")
def tiny_en(models_dir: Path) -> Transcriber:
    return loaded("whisper-tiny.en", models_dir)


@pytest.mark.parametrize("vad_disabled", [False, True], ids=["vad on", "vad off"])
@pytest.mark.parametrize(
    "kind", ["silence", "white", "faint white", "pink", "hum", "clicks", "chords", "melody", "breathing"]
)
def test_sound_without_speech_has_no_words(
    tiny_en: Transcriber, tmp_path: Path, kind: str, vad_disabled: bool
) -> None:
    recording = write_wav(tmp_path / "noise.wav", noise(kind))
    transcript = transcript_of(tiny_en, recording, TranscribeOptions(vad_disabled=vad_disabled))

    assert transcript.segments == ()
    assert transcript.outcome is TranscriptOutcome.NO_SPEECH


@pytest.mark.recordings
def test_the_same_words_are_written_down_with_and_without_vad(base: Transcriber, recordings: Path) -> None:
    recording = recordings / "audio" / "single_male.flac"
    cut, whole = (
        text_of(transcript_of(base, recording, TranscribeOptions(vad_disabled=vad_disabled)))
        for vad_disabled in (False, True)
    )

    assert word_errors(cut, whole) < 0.08


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["silence.flac", "noise_only.flac"])
def test_recorded_rooms_without_a_voice_have_no_words(base: Transcriber, recordings: Path, name: str) -> None:
    assert transcript_of(base, recordings / "audio" / name).segments == ()


@pytest.mark.recordings
@pytest.mark.parametrize("model", ["base", "tiny_en"])
def test_a_famous_sentence_is_written_down(
    model: str, request: pytest.FixtureRequest, recordings: Path
) -> None:
    transcript = transcript_of(request.getfixturevalue(model), recordings / "audio" / "jfk.flac")

    assert word_errors(JFK, text_of(transcript)) == 0.0
    assert not any(segment.flags for segment in transcript.segments)
    assert transcript.language_code == "en"


@pytest.mark.recordings
def test_read_sentences_have_few_word_errors(base: Transcriber, recordings: Path) -> None:
    folder = recordings / "audio" / "librivox"
    said = json.loads((folder / "transcripts.json").read_text())
    written = [text_of(transcript_of(base, folder / name)) for name in said]

    assert word_errors(list(said.values()), written) < 0.08


@pytest.mark.recordings
def test_prompts_read_by_a_man_have_few_word_errors_and_honest_times(
    base: Transcriber, recordings: Path
) -> None:
    manifest = json.loads((recordings / "audio" / "manifest.json").read_text())
    (entry,) = [entry for entry in manifest if entry["file"] == "single_male.flac"]
    transcript = transcript_of(base, recordings / "audio" / "single_male.flac")
    words = [word for segment in transcript.segments for word in segment.words]
    # The manifest's first two sentences belong to other prompts than those that are heard; the four
    # from "The Norsemen" on are what is read from 15 s on.
    said = entry["transcript"][entry["transcript"].index("The Norsemen") :]
    written = " ".join(segment.text for segment in transcript.segments if segment.start_s > 15.0)

    assert word_errors(said, written) < 0.08
    assert all(before.end_s <= after.start_s for before, after in pairwise(words))
    assert all(0 <= word.start_s < word.end_s <= transcript.duration_s for word in words)
    assert transcript.speech_s == pytest.approx(sum(t["end"] - t["start"] for t in entry["turns"]), rel=0.1)
    assert transcript.uncovered_speech_s < 0.1 * transcript.speech_s


@pytest.mark.parametrize("name", ["answer-1.mp4", "answer-2.mp4"])
def test_the_demo_clips_are_written_down_word_for_word_and_in_order(base: Transcriber, name: str) -> None:
    answers = json.loads((DEMO / "truth.json").read_text())["answers"]
    (answer,) = [answer for answer in answers if answer["file"] == name]
    transcript = transcript_of(base, DEMO / name, TranscribeOptions(language_code="en"))
    words = [word for segment in transcript.segments for word in segment.words]

    assert word_errors(" ".join(said["text"] for said in answer["utterances"]), text_of(transcript)) == 0.0
    assert all(before.end_s <= after.start_s for before, after in pairwise(words))
    assert not any(segment.flags for segment in transcript.segments)
    assert transcript.uncovered_speech_s < 0.1 * transcript.speech_s


@pytest.mark.recordings
def test_indonesian_that_is_read_is_told_from_other_languages_and_mostly_right(
    recordings: Path, models_dir: Path
) -> None:
    folder = recordings / "audio" / "indonesian"
    entries = json.loads((folder / "manifest.json").read_text())
    (entry,) = [entry for entry in entries if entry["file"] == "kartinah_intro.flac"]
    model = WhisperSpeechModel(
        locate("whisper-base", models_dir).folder, device="cpu", first_pass=FirstPass()
    )
    transcriber = Transcriber(model, SileroDetector(), expected_language_codes=("en", "id"))
    transcript = transcript_of(transcriber, folder / entry["file"])

    assert {segment.language_code for segment in transcript.segments} == {"id"}
    assert word_errors(entry["transcript"], text_of(transcript)) < 0.4
    assert transcript.uncovered_speech_s < 0.1 * transcript.speech_s


@pytest.mark.recordings
def test_words_lie_where_the_voices_are(base: Transcriber, recordings: Path) -> None:
    manifest = json.loads((recordings / "audio" / "manifest.json").read_text())
    (entry,) = [entry for entry in manifest if entry["file"] == "single_female.flac"]
    transcript = transcript_of(base, recordings / "audio" / "single_female.flac")
    middles_s = [(w.start_s + w.end_s) / 2 for segment in transcript.segments for w in segment.words]
    inside = [any(t["start"] - 0.3 <= m <= t["end"] + 0.3 for t in entry["turns"]) for m in middles_s]

    assert np.mean(inside) > 0.97


@pytest.mark.recordings
def test_a_very_quiet_and_shifted_recording_is_still_heard(
    base: Transcriber, recordings: Path, tmp_path: Path
) -> None:
    from services.transcriber.audio import load_sound

    samples = load_sound(recordings / "audio" / "jfk.flac", 60.0, threading.Event()).samples
    transcript = transcript_of(base, write_wav(tmp_path / "quiet.wav", samples * 0.01 + 0.3))

    assert word_errors(JFK, text_of(transcript)) < 0.1


@pytest.mark.recordings
def test_a_voice_far_into_silence_keeps_its_time(base: Transcriber, recordings: Path, tmp_path: Path) -> None:
    from services.transcriber.audio import load_sound

    samples = load_sound(recordings / "audio" / "jfk.flac", 60.0, threading.Event()).samples
    early = transcript_of(base, recordings / "audio" / "jfk.flac")
    padded = np.concatenate([noise("faint white", 45.0), samples, noise("faint white", 45.0)])
    late = transcript_of(base, write_wav(tmp_path / "late.wav", padded))

    assert word_errors(JFK, text_of(late)) < 0.1
    assert late.segments[0].words[3].start_s == pytest.approx(
        45 + early.segments[0].words[3].start_s, abs=0.5
    )


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["one_voice.mp4", "second_voice.webm"])
def test_the_sound_of_interview_videos_is_written_down(
    base: Transcriber, recordings: Path, name: str
) -> None:
    transcript = transcript_of(base, recordings / "interview" / name)

    assert transcript.outcome is TranscriptOutcome.OK
    assert transcript.duration_s == pytest.approx(33.0, abs=2.5)
    assert transcript.uncovered_speech_s < 0.1 * transcript.speech_s
    assert (transcript.mean_word_probability or 0.0) > 0.8


@pytest.mark.recordings
def test_the_same_recording_gives_the_same_words(base: Transcriber, recordings: Path) -> None:
    first, second = (transcript_of(base, recordings / "audio" / "single_noise10.flac") for _ in range(2))

    assert first.segments == second.segments


def test_two_processes_worth_of_models_give_the_same_words_and_times(models_dir: Path) -> None:
    first, second = (
        transcript_of(loaded("whisper-tiny.en", models_dir), DEMO / "answer-2.mp4") for _ in range(2)
    )

    assert first.segments
    assert first.segments == second.segments


@pytest.mark.recordings
def test_an_answer_that_changes_language_keeps_both_halves(
    base: Transcriber, recordings: Path, tmp_path: Path
) -> None:
    from services.transcriber.audio import load_sound

    english = load_sound(recordings / "audio" / "jfk.flac", 60.0, threading.Event()).samples
    spanish = load_sound(Path(__file__).parents[1] / "data" / "spanish.opus", 60.0, threading.Event()).samples
    pause = np.zeros(SAMPLE_RATE_HZ // 2, dtype=np.float32)
    for order in ((english, spanish), (spanish, english)):
        path = write_wav(tmp_path / "both.wav", np.concatenate([order[0], pause, order[1]]))
        transcript = transcript_of(base, path)
        in_english = [segment.text for segment in transcript.segments if segment.language_code == "en"]
        in_spanish = [segment.text for segment in transcript.segments if segment.language_code == "es"]

        assert word_errors(JFK, " ".join(in_english)) < 0.1
        assert "equipo de cinco personas" in " ".join(in_spanish)
        assert transcript.uncovered_speech_s < 0.1 * transcript.speech_s


@pytest.mark.recordings
@pytest.mark.parametrize("name", ["single_male", "three_voices", "two_real_ami", "two_real_katie_steve"])
def test_english_stays_english_whatever_the_accent(recordings: Path, models_dir: Path, name: str) -> None:
    model = WhisperSpeechModel(
        locate("whisper-base", models_dir).folder, device="cpu", first_pass=FirstPass()
    )
    transcriber = Transcriber(model, SileroDetector(), expected_language_codes=("en", "id"))
    transcript = transcript_of(transcriber, recordings / "audio" / f"{name}.flac")

    assert {segment.language_code for segment in transcript.segments} == {"en"}


@pytest.mark.recordings
def test_silero_in_blocks_says_what_the_library_says_of_the_whole() -> None:
    vad = pytest.importorskip("faster_whisper.vad")
    rng = np.random.default_rng(0)
    voiced = np.sin(2 * np.pi * 140 * np.arange(70 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    # Ever quieter, so that what came so far is never below the level of the whole.
    loudness = np.sort(rng.random(70))[::-1]
    samples = (0.05 * voiced * loudness.repeat(SAMPLE_RATE_HZ)).astype(np.float32)
    samples *= 10 ** (-23 / 20) / np.sqrt(np.mean(np.square(samples)))  # so that no gain is added

    blocks = list(SileroDetector().probabilities(samples))
    whole = vad.get_vad_model()(np.pad(samples, (0, -samples.size % FRAME_SAMPLES))).reshape(-1)

    assert len(blocks) > 2
    # The library blanks the end of its last frame.
    assert np.concatenate(blocks)[:-1] == pytest.approx(whole[:-1], abs=1e-3)
