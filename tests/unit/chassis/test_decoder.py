"""A child that decodes: what it hands over, how it is stopped, and what its death means."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from chassis.decoding.child_limits import ChildLimits
from chassis.decoding.decoder import SLOT_COUNT, ChildDecoder, Piece
from chassis.errors import CancelledCallError, InvalidInputError
from tests.child_processes import decoding_children

LIMITS = ChildLimits(max_memory_bytes=1 << 30, max_cpu_s=30.0)
LIMITS_FOR_COUNT = ChildLimits(max_memory_bytes=1 << 30, max_cpu_s=30.0, max_file_bytes=100)
SLOT_BYTES = 4096


def decoder(name: str, limits: ChildLimits = LIMITS, **settings: Any) -> ChildDecoder:
    return ChildDecoder(f"tests.fakes.decoding:{name}", SLOT_BYTES, limits, **settings)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording"
    path.write_bytes(b"0")
    return path


def pieces_of(child: ChildDecoder, recording: Path, **options: Any) -> list[Piece]:
    with child.open(recording, options, threading.Event()) as pieces:
        return list(pieces)


def refusal_of(child: ChildDecoder, recording: Path, **options: Any) -> str:
    with pytest.raises(InvalidInputError) as caught:
        pieces_of(child, recording, **options)
    assert decoding_children() == []
    return caught.value.reason


def test_pieces_come_in_order_and_stay_as_they_are(recording: Path) -> None:
    pieces = pieces_of(decoder("count", LIMITS_FOR_COUNT), recording, count=50)

    assert [piece.values["number"] for piece in pieces] == list(range(50))
    assert [set(piece.payload) for piece in pieces] == [{number} for number in range(50)]
    assert decoding_children() == []


def test_a_child_is_a_few_pieces_ahead_of_a_slow_reader_and_no_more(recording: Path) -> None:
    child = decoder("count", LIMITS_FOR_COUNT)
    with child.open(recording, {"count": 1000}, threading.Event()) as pieces:
        next(pieces)
        while recording.read_text(encoding="ascii") in ("", "0", "1"):
            time.sleep(0.02)
        time.sleep(0.5)
        assert int(recording.read_text(encoding="ascii")) <= SLOT_COUNT + 2


def test_a_child_that_waits_takes_the_next_recording(recording: Path) -> None:
    child = decoder("count", LIMITS_FOR_COUNT, keeps_spare=True)
    try:
        waiting = decoding_children()
        assert len(waiting) == 1
        with child.open(recording, {"count": 2}, threading.Event()) as pieces:
            assert decoding_children() == waiting
            assert len(list(pieces)) == 2
        assert len(decoding_children()) == 1
    finally:
        child.close()
    assert decoding_children() == []


def test_a_refusal_arrives_with_its_reason(recording: Path) -> None:
    assert refusal_of(decoder("refuse"), recording, reason="MEDIA_TOO_LONG") == "MEDIA_TOO_LONG"


@pytest.mark.parametrize(
    ("name", "limits", "reason"),
    [
        ("grow", LIMITS, "MEDIA_TOO_COMPLEX"),
        ("spin", ChildLimits(1 << 30, 1.0), "MEDIA_TOO_COMPLEX"),
        ("write", LIMITS, "MEDIA_DECODER_FAILED"),
        ("crash", LIMITS, "MEDIA_DECODER_FAILED"),
        ("open_many", LIMITS, "MEDIA_DECODER_FAILED"),
    ],
)
def test_a_child_that_runs_into_a_limit_dies_alone(
    recording: Path, name: str, limits: ChildLimits, reason: str
) -> None:
    written = recording.with_name("written")

    assert refusal_of(decoder(name, limits), recording) == reason
    assert not written.exists() or written.stat().st_size == 0


def test_a_child_that_says_nothing_is_ended(recording: Path) -> None:
    assert refusal_of(decoder("hang", stall_timeout_s=1.0), recording) == "MEDIA_TOO_COMPLEX"


@pytest.mark.parametrize(
    "values",
    [
        {"slot": SLOT_COUNT, "bytes": 10},
        {"slot": -1, "bytes": 10},
        {"slot": 0, "bytes": SLOT_BYTES + 1},
        {"slot": 0, "bytes": -1},
        {"slot": "0", "bytes": 1},
        {"slot": 0.5, "bytes": 1},
        {"slot": [0], "bytes": {}},
        {"error": "API_KEY_INVALID", "message": "x"},
    ],
)
def test_what_a_child_can_not_mean_is_its_failure(recording: Path, values: dict[str, Any]) -> None:
    assert refusal_of(decoder("lie"), recording, values=values) == "MEDIA_DECODER_FAILED"


def test_stopping_ends_a_child_that_is_at_work(recording: Path) -> None:
    stop = threading.Event()
    with decoder("hang").open(recording, {}, stop) as pieces:
        threading.Timer(0.3, stop.set).start()
        with pytest.raises(CancelledCallError):
            list(pieces)
    assert decoding_children() == []


def test_a_child_knows_nothing_of_our_environment(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    (piece,) = pieces_of(decoder("surroundings"), recording)

    assert "HF_TOKEN" not in piece.values["names"]
    assert "http_proxy" not in piece.values["names"]


def test_more_recordings_than_children_wait_for_their_turn_and_can_be_stopped(recording: Path) -> None:
    child = decoder("count", LIMITS_FOR_COUNT, max_child_count=1)
    stop = threading.Event()
    with child.open(recording, {"count": 1}, threading.Event()) as pieces:
        threading.Timer(0.5, stop.set).start()
        with pytest.raises(CancelledCallError), child.open(recording, {"count": 1}, stop):
            pass
        assert len(list(pieces)) == 1

    assert len(pieces_of(child, recording, count=1)) == 1


def test_a_child_whose_decoder_was_forgotten_ends_with_it() -> None:
    forgotten = decoder("count", LIMITS_FOR_COUNT, keeps_spare=True)
    assert len(decoding_children()) == 1

    del forgotten
    gc.collect()

    assert decoding_children() == []
