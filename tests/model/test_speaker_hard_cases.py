"""What makes one voice sound like two, or two like one: rooms, microphones, distance, television."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.speaker import hard_cases
from benchmarks.speaker.hard_cases import HardCase
from benchmarks.speaker.rooms import changes
from benchmarks.speaker.voices import cut, interrupted, moved, voices
from services.speaker.__main__ import build_diarizer
from services.speaker.audio import Samples
from services.speaker.engine import Diarizer
from services.speaker.observations import Diarization
from services.speaker.settings import SpeakerSettings
from tests.fakes.speaker import write_wav

pytestmark = [pytest.mark.model, pytest.mark.recordings]

Hear = Callable[[Samples], Diarization]
WOMAN, MAN, OTHER_MAN = "single_female.flac", "single_male.flac", "two_late_short_same_sex.flac"
TOLD = "the recording itself sounds different"


@pytest.fixture(scope="module")
def people(recordings: Path) -> dict[str, Samples]:
    return voices(recordings)


@pytest.fixture(scope="module")
def diarizer(models_dir: Path) -> Diarizer:
    return build_diarizer(SpeakerSettings(models_dir=models_dir))


@pytest.fixture
def hear(diarizer: Diarizer, tmp_path: Path) -> Hear:
    def hear(samples: Samples) -> Diarization:
        *_, last = diarizer.diarize(write_wav(tmp_path / "recording.wav", samples), threading.Event())
        assert isinstance(last, Diarization)
        return last

    return hear


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("change", changes())
@pytest.mark.parametrize("name", [WOMAN, MAN])
def test_a_change_of_room_or_microphone_makes_no_second_voice(
    people: dict[str, Samples], hear: Hear, name: str, change: str
) -> None:
    found = hear(moved(people[name], people[name], changes()[change], rng()))

    assert found.voice_count == 1
    assert found.observations == ()


def test_where_a_change_could_make_two_of_one_voice_a_reader_is_told_of_it(
    people: dict[str, Samples], hear: Hear
) -> None:
    found = hear(moved(people[WOMAN], people[WOMAN], changes()["further away beside a fan"], rng()))

    assert any(TOLD in warning for warning in found.warnings)


def test_two_people_in_one_room_are_two_though_one_follows_the_other_once(
    people: dict[str, Samples], hear: Hear
) -> None:
    found = hear(moved(people[WOMAN], people[MAN], lambda samples, _: samples, rng()))

    assert found.voice_count == 2
    assert found.observations != ()
    assert not any(TOLD in warning for warning in found.warnings)


def test_the_real_change_of_room_of_a_recording_is_one_voice(diarizer: Diarizer, recordings: Path) -> None:
    recording = recordings / "audio" / "single_room_change.flac"
    *_, found = diarizer.diarize(recording, threading.Event())

    assert isinstance(found, Diarization)
    assert found.voice_count == 1
    assert found.second_voice_probability is not None
    assert found.second_voice_probability < 0.5


@pytest.mark.parametrize("other", [WOMAN, OTHER_MAN])
def test_somebody_on_a_telephone_s_loudspeaker_in_a_pause_is_reported(
    people: dict[str, Samples], hear: Hear, other: str
) -> None:
    (observation,) = hear(hard_cases.loudspeaker(people[MAN], people[other], rng())).observations

    assert (observation.start_s, observation.end_s) == pytest.approx((8.1, 12.1), abs=1.0)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda a, o, _: hard_cases.behind(a, o, -20.0), id="television in the background"),
        pytest.param(hard_cases.laughing, id="laughter"),
        pytest.param(hard_cases.leaning_back, id="leaning back"),
    ],
)
@pytest.mark.parametrize("name", [WOMAN, MAN, OTHER_MAN])
def test_what_is_no_second_speaker_is_not_reported(
    people: dict[str, Samples], hear: Hear, name: str, make: HardCase
) -> None:
    others = [other for other in (WOMAN, MAN, OTHER_MAN) if other != name]

    assert hear(make(people[name], people[others[0]], rng())).observations == ()


def test_voices_at_the_same_time_are_reported_nowhere_else_than_there(
    people: dict[str, Samples], hear: Hear
) -> None:
    """A turn has one voice: of two that speak at once, the mixture is told as one or as another voice."""
    found = hear(hard_cases.overlapped(people[WOMAN], people[MAN], 0.0))

    assert found.observations != ()
    for observation in found.observations:
        assert hard_cases.BEGIN_S - 0.5 < observation.start_s < observation.end_s < hard_cases.END_S + 0.5


def test_the_order_of_answers_and_requests_beside_change_nothing(
    people: dict[str, Samples], diarizer: Diarizer, tmp_path: Path
) -> None:
    paths = [write_wav(tmp_path / f"{name}.wav", cut(people[name], 0.0, 12.0)) for name in (WOMAN, MAN)]
    mixed = interrupted(people[WOMAN], cut(people[MAN], 0.0, 4.0))
    paths.append(write_wav(tmp_path / "mixed.wav", mixed))

    def run(path: Path) -> object:
        *_, last = diarizer.diarize(path, threading.Event())
        return last

    in_order = [run(path) for path in paths]
    in_reverse = [run(path) for path in reversed(paths)]
    beside: dict[int, object] = {}
    threads = [
        threading.Thread(target=lambda i=i: beside.update({i: run(paths[i])})) for i in range(len(paths))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert in_reverse == in_order[::-1]
    assert [beside[index] for index in range(len(paths))] == in_order
