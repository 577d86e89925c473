"""Which language is spoken when: stretches between pauses, the path through them, what is decoded in it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import InvalidInputError
from services.transcriber.engine import TranscribeOptions, Transcriber
from services.transcriber.languages import language_path
from services.transcriber.pieces import divided
from services.transcriber.spoken_languages import MAX_HEARD_S, stretches_of
from services.transcriber.transcript import Flag, Span, Transcript
from tests.fakes.transcriber import FakeSpeechModel, LoudnessDetector, decoded, silence, tone, write_wav

EN, ID = {"en": 0.95, "id": 0.02}, {"id": 0.95, "en": 0.02}


def path_of(found: Sequence[Mapping[str, float]], duration_s: float = 8.0, before: str | None = None) -> str:
    return " ".join(language_path([(languages, duration_s) for languages in found], before))


@pytest.fixture
def two_voices(tmp_path: Path) -> Path:
    """Four seconds of voice, a pause of one, four more."""
    return write_wav(tmp_path / "two.wav", np.concatenate([tone(4), silence(1), tone(4)]))


def transcript_of(recording: Path, model: FakeSpeechModel, codes: Sequence[str] = ()) -> Transcript:
    transcriber = Transcriber(model, LoudnessDetector(), expected_language_codes=codes)
    *_, last = transcriber.transcribe(recording, TranscribeOptions(), threading.Event())
    assert isinstance(last, Transcript)
    return last


def test_sure_stretches_change_the_language() -> None:
    assert path_of([EN, EN, ID, ID]) == "en en id id"


def test_a_language_may_come_back() -> None:
    assert path_of([EN, ID, ID, EN]) == "en id id en"


def test_an_unsure_stretch_follows_its_neighbours() -> None:
    assert path_of([EN, {"cy": 0.77, "en": 0.19}, EN]) == "en en en"


def test_a_short_stretch_needs_more_to_change_the_language() -> None:
    unsure = {"id": 0.6, "en": 0.05}

    assert path_of([EN, unsure], 8.0) == "en id"
    assert path_of([EN, unsure], 1.0) == "en en"


def test_what_came_before_counts_like_a_neighbour() -> None:
    unsure = {"cy": 0.5, "en": 0.3}

    assert path_of([unsure]) == "cy"
    assert path_of([unsure], before="en") == "en"


def test_no_stretches_have_no_path() -> None:
    assert language_path([]) == []


def test_speech_is_gathered_over_pauses_until_it_says_something() -> None:
    speech = [Span(0, 1), Span(1.5, 2), Span(2.5, 6), Span(7, 11), Span(12, 12.5)]

    assert stretches_of([Span(0, 13)], speech) == [Span(0, 6), Span(7, 12.5)]


def test_a_block_is_cut_inside_a_span_and_between_spans() -> None:
    assert divided([Span(0, 4), Span(6, 9)], [5.0]) == [[Span(0, 4)], [Span(6, 9)]]
    assert divided([Span(0, 9)], [4.0]) == [[Span(0, 4)], [Span(4, 9)]]


def test_each_part_of_an_answer_is_decoded_in_its_own_language(two_voices: Path) -> None:
    model = FakeSpeechModel([decoded("some words", 0.1, 2)], heard=[EN, ID])
    transcript = transcript_of(two_voices, model)

    assert model.decoded_in == ["en", "id"]
    assert [segment.language_code for segment in transcript.segments] == ["en", "id"]
    assert [segment.language_probability for segment in transcript.segments] == pytest.approx([0.95, 0.95])
    assert sum(model.heard_s) == pytest.approx(9.0, abs=0.1)  # no time is lost at the switch
    assert transcript.segments[1].start_s == pytest.approx(4.6, abs=0.1)


def test_an_answer_in_one_language_is_decoded_in_one_piece(two_voices: Path) -> None:
    model = FakeSpeechModel([decoded("some words", 0.1, 2)], heard=[EN, EN])
    transcript = transcript_of(two_voices, model)

    assert model.decoded_in == ["en"]
    assert transcript.language_code == "en"


def test_the_language_of_most_of_the_speech_is_the_transcript_s(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "a.wav", np.concatenate([tone(4), silence(1), tone(8)]))
    model = FakeSpeechModel([decoded("words", 0.1, 3.9)], heard=[EN, {"id": 0.8, "en": 0.01}])
    transcript = transcript_of(recording, model)

    assert {segment.language_code for segment in transcript.segments} == {"en", "id"}
    assert transcript.language_probability is not None


def test_detection_hears_the_beginning_of_a_long_stretch(tmp_path: Path) -> None:
    model = FakeSpeechModel([decoded("words")])
    transcript_of(write_wav(tmp_path / "a.wav", tone(25)), model)

    assert model.detected_s == pytest.approx([MAX_HEARD_S])


def test_an_expected_language_is_believed_sooner(two_voices: Path) -> None:
    accent = {"en": 0.55, "cy": 0.25, "id": 0.01}
    model = FakeSpeechModel([decoded("words")], language_codes=("cy", "en", "id"), heard=[accent])
    transcript = transcript_of(two_voices, model, ["en", "id"])

    assert model.decoded_in == ["en"]
    assert transcript.language_probability == pytest.approx(2.2 / (0.25 + 2.2 + 0.04))


def test_a_language_that_is_plainly_another_is_found_all_the_same(two_voices: Path) -> None:
    french = {"fr": 0.96, "en": 0.01}
    model = FakeSpeechModel(
        [decoded("mots")], language_codes=("en", "fr", "id"), heard=[french], believes={"fr": -0.3}
    )
    transcript_of(two_voices, model, ["en", "id"])

    assert model.decoded_in == ["fr"]


def test_a_stretch_that_is_lost_in_the_neighbours_language_is_decoded_in_its_own(tmp_path: Path) -> None:
    recording = write_wav(
        tmp_path / "a.wav", np.concatenate([tone(5), silence(1), tone(4), silence(1), tone(5)])
    )
    model = FakeSpeechModel(
        [decoded("first", 0.2, 5), decoded("last", 11.2, 16)],
        heard=[EN, {"id": 0.6, "en": 0.2}, EN],
        then=[decoded("yang tengah", 0.1, 3.9)],
    )
    transcript = transcript_of(recording, model)

    assert model.decoded_in == ["en", "id"]
    assert [segment.text for segment in transcript.segments] == ["first", "yang tengah", "last"]
    assert [segment.language_code for segment in transcript.segments] == ["en", "id", "en"]
    assert 6.0 <= transcript.segments[1].start_s < transcript.segments[1].end_s <= 10.1
    assert transcript.uncovered_speech_s < 1.0


def test_a_stretch_that_left_words_is_not_decoded_twice(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "a.wav", np.concatenate([tone(6), silence(1), tone(4)]))
    model = FakeSpeechModel([decoded("all of it", 0.2, 11)], heard=[EN, {"id": 0.6, "en": 0.2}])
    transcript_of(recording, model)

    assert model.decoded_in == ["en"]


def test_a_model_of_one_language_is_not_asked_for_it(two_voices: Path) -> None:
    model = FakeSpeechModel([decoded("words")], language_codes=("en",))
    transcript = transcript_of(two_voices, model)

    assert (model.detected_s, model.decoded_in) == ([], ["en"])
    assert (transcript.language_code, transcript.language_probability) == ("en", None)


def test_an_unknown_language_can_not_be_expected() -> None:
    with pytest.raises(InvalidInputError):
        Transcriber(FakeSpeechModel(), LoudnessDetector(), expected_language_codes=["xx"])


@pytest.fixture
def short_answer(tmp_path: Path) -> Path:
    """Two seconds of voice."""
    return write_wav(tmp_path / "short.wav", np.concatenate([silence(0.5), tone(2), silence(0.5)]))


GREEK = {"el": 0.5, "pt": 0.2, "id": 0.1, "en": 0.1}
KNOWN = ("ar", "el", "en", "id", "jw", "ms", "pt")


def test_a_short_answer_that_sounds_like_nothing_known_is_written_in_the_language_that_fits(
    short_answer: Path,
) -> None:
    model = FakeSpeechModel(
        [decoded("kualitas")], language_codes=KNOWN, heard=[GREEK], believes={"id": -0.5, "el": -0.9}
    )
    transcript = transcript_of(short_answer, model, ["en", "id"])

    assert model.tried == [["en", "id", "el"]]
    assert model.decoded_in == ["id"]
    assert transcript.segments[0].flags == frozenset()


def test_english_stays_english_by_the_same_rule(short_answer: Path) -> None:
    welsh = {"cy": 0.6, "en": 0.35}
    model = FakeSpeechModel(
        [decoded("if called")], language_codes=("cy", "en", "id"), heard=[welsh], believes={"en": -0.5}
    )
    transcript_of(short_answer, model, ["en", "id"])

    assert model.decoded_in == ["en"]


@pytest.mark.parametrize("duration_s", [2.0, 8.0])
def test_a_language_that_is_told_by_its_sound_is_not_tried(tmp_path: Path, duration_s: float) -> None:
    model = FakeSpeechModel([decoded("words")], heard=[{"id": 0.7, "en": 0.1, "ms": 0.1}])
    transcript_of(write_wav(tmp_path / "a.wav", tone(duration_s)), model, ["en", "id"])

    assert (model.tried, model.decoded_in) == ([], ["id"])


def test_a_garbled_stretch_beside_plain_speech_is_not_tried_and_follows_it(two_voices: Path) -> None:
    garbled = {"el": 0.34, "id": 0.22}
    model = FakeSpeechModel(
        [decoded("kata")],
        language_codes=KNOWN,
        heard=[{"id": 0.95}, garbled],
        believes={"en": -0.3, "id": -0.8},
    )
    transcript_of(two_voices, model, ["en", "id"])

    assert (model.tried, set(model.decoded_in)) == ([], {"id"})


def test_a_long_garbled_stretch_is_told_by_what_is_expected(tmp_path: Path) -> None:
    garbled = {"el": 0.36, "id": 0.15}
    model = FakeSpeechModel([decoded("kata")], language_codes=KNOWN, heard=[garbled], believes={"en": -0.3})
    transcript_of(write_wav(tmp_path / "a.wav", tone(8)), model, ["en", "id"])

    assert (model.tried, model.decoded_in) == ([], ["id"])


def test_malay_is_indonesian_where_only_indonesian_is_expected(two_voices: Path) -> None:
    malay = {"ms": 0.69, "id": 0.13}
    model = FakeSpeechModel([decoded("kata")], language_codes=KNOWN, heard=[malay])
    transcript = transcript_of(two_voices, model, ["en", "id"])

    assert (model.tried, model.decoded_in) == ([], ["id"])
    assert {segment.language_code for segment in transcript.segments} == {"id"}


def test_malay_stays_malay_where_it_is_expected(two_voices: Path) -> None:
    model = FakeSpeechModel([decoded("kata")], language_codes=KNOWN, heard=[{"ms": 0.69, "id": 0.13}])
    transcript_of(two_voices, model, ["en", "id", "ms"])

    assert model.decoded_in == ["ms"]


@pytest.mark.parametrize(("belief", "code"), [(-0.6, "id"), (-0.2, "ar")])
def test_a_language_that_nobody_expects_needs_a_text_that_fits_much_better(
    two_voices: Path, belief: float, code: str
) -> None:
    model = FakeSpeechModel(
        [decoded("words")],
        language_codes=KNOWN,
        heard=[{"ar": 0.7, "id": 0.1}],
        believes={"ar": belief, "id": -0.7},
    )
    transcript_of(two_voices, model, ["en", "id"])

    assert model.decoded_in == [code]


def test_what_is_kept_in_a_language_that_nobody_expects_is_flagged_unless_it_plainly_sounds_like_it(
    two_voices: Path, tmp_path: Path
) -> None:
    half = FakeSpeechModel(
        [decoded("words")], language_codes=KNOWN, heard=[{"ar": 0.7, "id": 0.1}], believes={"ar": -0.2}
    )
    plain = FakeSpeechModel([decoded("words")], language_codes=KNOWN, heard=[{"ar": 0.97}])
    long = write_wav(tmp_path / "long.wav", tone(8))
    flagged = transcript_of(two_voices, half, ["en", "id"]).segments
    kept = transcript_of(long, plain, ["en", "id"]).segments

    assert all(Flag.UNEXPECTED_LANGUAGE in segment.flags for segment in flagged)
    assert not any(Flag.UNEXPECTED_LANGUAGE in segment.flags for segment in kept)
    assert {segment.language_code for segment in (*flagged, *kept)} == {"ar"}


def test_without_expectations_nothing_is_tried(short_answer: Path) -> None:
    model = FakeSpeechModel([decoded("words")], language_codes=KNOWN, heard=[GREEK])
    transcript_of(short_answer, model)

    assert (model.tried, model.decoded_in) == ([], ["el"])
