"""A recording that is listened to while it arrives says what the finished one says."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from chassis.errors import CancelledCallError
from services.speaker.audio import SAMPLE_RATE_HZ, Samples, Waveform
from services.speaker.embedding import BATCH_WINDOWS, Batch
from services.speaker.engine import Diarizer, Progress
from services.speaker.listening import Listening
from services.speaker.observations import Diarization
from services.speaker.voice_activity import speech_stretches
from services.speaker.windows import Windows, windows_of
from tests.fakes.speaker import (
    ANNA_HZ,
    BEN_HZ,
    WAV_OF_UNKNOWN_LENGTH,
    FakeSpeechModel,
    FakeWindowEncoder,
    fake_diarizer,
    play,
    write_wav,
)
from tests.growing_files import begun, growing

TALK: list[tuple[float | None, float]] = [
    (ANNA_HZ, 7.0), (None, 0.6), (ANNA_HZ, 21.3), (None, 1.0), (BEN_HZ, 5.0), (None, 0.4), (ANNA_HZ, 0.7),
    (None, 0.5), (ANNA_HZ, 18.0), (None, 2.0), (BEN_HZ, 9.4), (None, 0.31), (ANNA_HZ, 12.0),
]  # fmt: skip
STOP_S = 2.0


class CountingEncoder(FakeWindowEncoder):
    """Notes how many windows it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.window_count = 0

    def embed(self, samples: Waveform, windows: Windows) -> Iterator[Batch]:
        self.window_count += len(windows)
        yield from super().embed(samples, windows)


def louder(samples: Samples) -> Samples:
    """A minute that begins very quietly: the level of what has come is wrong for long."""
    return np.asarray(samples * np.linspace(0.02, 3.0, len(samples)).clip(0, 1), np.float32)


def leaning(samples: Samples) -> Samples:
    """A microphone whose zero moves away in the middle."""
    return np.asarray(samples + 0.2 * (np.arange(len(samples)) > len(samples) // 2), np.float32)


def silent_first(samples: Samples) -> Samples:
    return np.concatenate([np.zeros(40 * SAMPLE_RATE_HZ, np.float32), samples])


SOUNDS = {
    "talk": play(TALK),
    "louder": louder(play(TALK)),
    "leaning": leaning(play(TALK)),
    "silent first": silent_first(play(TALK)),
    "short": play(TALK)[: 9 * SAMPLE_RATE_HZ],
    "nobody": np.zeros(30 * SAMPLE_RATE_HZ, np.float32),
}


def parts(samples: Samples, seed: int) -> Iterator[Samples]:
    rng, start = random.Random(seed), 0
    while start < len(samples):
        length = rng.choice([1, 700, SAMPLE_RATE_HZ, 8 * SAMPLE_RATE_HZ])
        yield samples[start : start + length]
        start += length


def last(diarizer: Diarizer, recording: Path) -> Diarization:
    *_, found = diarizer.diarize(recording, threading.Event())
    assert isinstance(found, Diarization)
    return found


def run(steps: Iterator[int]) -> object:
    """Go through steps to what they return."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def results(listening: Listening) -> tuple[np.ndarray, np.ndarray]:
    """Go through a whole recording: the probabilities of speech, and the vectors of its windows."""
    probabilities = run(listening.probabilities())
    assert isinstance(probabilities, np.ndarray)
    windows = windows_of(speech_stretches(probabilities, listening.sound.duration_s))
    vectors = run(listening.embeddings(windows)) if len(windows) else np.zeros(0)
    assert isinstance(vectors, np.ndarray)
    return probabilities, vectors


def listening_to(encoder: FakeWindowEncoder) -> Listening:
    return Listening(FakeSpeechModel(), encoder, threading.Event())


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", SOUNDS)
def test_what_is_found_is_the_same_however_the_sound_came(name: str, seed: int) -> None:
    whole, grown = listening_to(FakeWindowEncoder()), listening_to(FakeWindowEncoder())
    whole.add(SOUNDS[name])
    for part in parts(SOUNDS[name], seed):
        grown.add(part)
        list(grown.work_ahead())

    for one, other in zip(results(whole), results(grown), strict=True):
        assert np.array_equal(one, other)


def test_most_of_the_work_is_done_before_the_end_and_none_of_it_twice() -> None:
    encoder = CountingEncoder()
    listening = listening_to(encoder)
    for part in parts(play(TALK * 3), 0):
        listening.add(part)
        list(listening.work_ahead())
    early_count = encoder.window_count

    _, vectors = results(listening)

    assert encoder.window_count == len(vectors)
    assert len(vectors) - early_count < 2 * BATCH_WINDOWS < early_count


def test_a_level_that_was_wrong_costs_no_more_than_the_work_again() -> None:
    encoder = CountingEncoder()
    listening = listening_to(encoder)
    for part in parts(louder(play(TALK * 3)), 0):
        listening.add(part)
        list(listening.work_ahead())

    _, vectors = results(listening)

    assert encoder.window_count <= 2 * len(vectors)


def test_nothing_of_before_counts_where_decoding_begins_again() -> None:
    again, fresh = listening_to(FakeWindowEncoder()), listening_to(FakeWindowEncoder())
    again.add(play([(BEN_HZ, 40.0), (None, 1.0)]))
    list(again.work_ahead())

    again.forget()
    for listening in (again, fresh):
        listening.add(play(TALK))

    for one, other in zip(results(again), results(fresh), strict=True):
        assert np.array_equal(one, other)


def test_a_wav_of_unknown_length_that_grows_says_what_the_finished_one_says(tmp_path: Path) -> None:
    finished = write_wav(tmp_path / "finished.wav", play(TALK))
    content = WAV_OF_UNKNOWN_LENGTH + finished.read_bytes()[44:]
    events: list[Progress | Diarization] = []

    # The second half comes once something was said about the first.
    with growing(tmp_path / "growing.wav", content, goes_on=lambda: len(events) > 0) as path:
        for event in fake_diarizer().diarize(path, threading.Event()):
            events.append(event)  # noqa: PERF402 - whoever writes the file looks at the list meanwhile

    assert events[-1] == last(fake_diarizer(), finished)
    early = [event for event in events if isinstance(event, Progress) and event.total_s is None]
    assert early != []
    assert all(event.done_ratio is None for event in early)


def test_a_call_that_is_given_up_ends_although_nothing_arrives(tmp_path: Path) -> None:
    path = begun(tmp_path / "growing.wav", WAV_OF_UNKNOWN_LENGTH + bytes(32_000))
    stop, caught = threading.Event(), []

    def diarize() -> None:
        try:
            list(fake_diarizer().diarize(path, stop))
        except CancelledCallError as error:
            caught.append(error.reason)

    thread = threading.Thread(target=diarize)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    stop.set()
    thread.join(STOP_S)

    assert caught == ["CANCELLED"]
