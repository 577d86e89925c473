"""What a recording claims is counted before a reader is opened on it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from chassis.decoding.claim_limits import MAX_ENTRY_COUNT, max_entry_count
from chassis.decoding.claims import (
    check_file_claims,
    check_track_claims,
    claimed_sample_count,
)
from chassis.errors import InvalidInputError
from chassis.settings import ServiceSettings
from tests.decoding_child import decode_all
from tests.fakes.recording import make_recording, make_tone
from tests.hostile_recordings import bombs, wav, write_all
from tests.mp4_boxes import Claim, box, fragment, mp4

HOUR_OF_PCM = Claim(3_600 * 48_000, 4, b"sowt", is_sound=True, ticks=1)
COUNTED = ("samples", "many_samples", "fragments", "edits", "boxes", "tracks")


def claimed(path: Path) -> int:
    with path.open("rb") as file:
        return claimed_sample_count(file, path.stat().st_size)


def refused(path: Path) -> str:
    with pytest.raises(InvalidInputError) as caught:
        check_file_claims(path)
    assert caught.value.reason == "MEDIA_TOO_COMPLEX"
    return caught.value.message


def test_a_small_file_that_claims_millions_of_pieces_is_refused_unread(tmp_path: Path) -> None:
    files = write_all(tmp_path, {name: bomb for name, bomb in bombs().items() if name in COUNTED})
    files["samples"].write_bytes(mp4(Claim(MAX_ENTRY_COUNT + 1, 1)))

    assert files["fragments"].stat().st_size < 5_000
    for path in files.values():
        refused(path)


def test_claims_of_all_tracks_and_pieces_add_up(tmp_path: Path) -> None:
    content = mp4(Claim(7), Claim(5, edit_count=3), fragments=fragment(1, 100, 20))
    (tmp_path / "a.mp4").write_bytes(content)

    assert claimed(tmp_path / "a.mp4") == 7 + 5 * 3 + 120


def test_an_hour_of_plain_sound_is_kept_in_pieces_and_not_refused(tmp_path: Path) -> None:
    (tmp_path / "a.mov").write_bytes(mp4(HOUR_OF_PCM))

    check_file_claims(tmp_path / "a.mov")
    assert claimed(tmp_path / "a.mov") < 200_000


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_recording_claims_what_it_has(tmp_path: Path, name: str) -> None:
    codecs = ("mpeg4", "pcm_s16le") if name.endswith("avi") else ("mpeg4", "aac")
    path = make_recording(tmp_path / name, seconds=1.0, codecs=codecs)

    check_file_claims(path)
    assert claimed(path) < 200


def test_an_edit_that_is_a_pause_has_no_pieces(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(mp4(Claim(7, edit_count=1, begins_with_pause=True)))

    assert claimed(tmp_path / "a.mp4") == 7


def test_five_hours_fit_into_the_memory_that_a_child_has() -> None:
    hour = 60 * 3_600 + 48_000 * 3_600 // 1_024

    assert 5 * hour < max_entry_count(ServiceSettings(port=0).decoder_max_memory_bytes)
    assert hour < max_entry_count(256 << 20)  # the least that can be set


def test_what_a_file_may_claim_fits_into_a_child_and_what_it_may_not_is_refused_unread(
    tmp_path: Path,
) -> None:
    memory_bytes = ServiceSettings(port=0).decoder_max_memory_bytes
    most = max_entry_count(memory_bytes)
    counts = {"little": 10, "most": most, "more": most + 1, "many": 0xFFFFFFFF}
    files = [tmp_path / f"{name}.mp4" for name in counts]
    for file, count in zip(files, counts.values(), strict=True):
        # The dearest: one edit over all of it.
        file.write_bytes(mp4(Claim(count, 1, ticks=1, edit_count=1, edit_ticks=count)))

    # A child each: what one file took is not given back for the next.
    limits = {"max_memory_bytes": memory_bytes, "max_duration_s": 36_000.0}
    answers = [decode_all([file], tmp_path, **limits)[0] for file in files]

    little, allowed, *others = answers
    assert "memory" not in str(allowed.get("message"))
    assert allowed.get("error") == little.get("error")
    assert allowed["peak_bytes"] - little["peak_bytes"] > 50 << 20
    for refused_one in others:
        assert refused_one["error"] == "MEDIA_TOO_COMPLEX"
        assert "more pieces of sound and picture" in refused_one["message"]
        assert refused_one["peak_bytes"] - little["peak_bytes"] < 16 << 20


@pytest.mark.parametrize("claimed_bytes", [0x7FFFFFFF, 0xFFFFFFF0])
def test_a_wav_that_claims_gigabytes_takes_no_memory_for_them(tmp_path: Path, claimed_bytes: int) -> None:
    files = [tmp_path / "little.wav", tmp_path / "much.wav"]
    files[0].write_bytes(wav(claimed_bytes=1_000))
    files[1].write_bytes(wav(claimed_bytes=claimed_bytes))

    little, much = decode_all(
        files, tmp_path, max_memory_bytes=ServiceSettings(port=0).decoder_max_memory_bytes
    )

    assert "memory" not in str(much.get("message"))
    assert much["peak_bytes"] - little["peak_bytes"] < 16 << 20


def test_a_flac_that_claims_days_takes_no_memory_for_them(tmp_path: Path) -> None:
    files = [make_tone(tmp_path / "little.flac", seconds=0.5), tmp_path / "much.flac"]
    content = bytearray(files[0].read_bytes())
    content[21] |= 0x0F  # STREAMINFO: 36 bits for the number of samples
    content[22:26] = b"\xff" * 4
    files[1].write_bytes(content)

    little, much = decode_all(
        files, tmp_path, max_memory_bytes=ServiceSettings(port=0).decoder_max_memory_bytes
    )

    assert "memory" not in str(much.get("message"))
    assert much["peak_bytes"] - little["peak_bytes"] < 16 << 20


def test_other_files_claim_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("moov" * 100)

    assert claimed(tmp_path / "empty") == claimed(tmp_path / "text") == 0
    assert claimed(make_tone(tmp_path / "a.wav", seconds=0.1)) == 0


def test_wrong_sizes_of_boxes_end_the_count_and_not_the_process(tmp_path: Path) -> None:
    video = make_recording(tmp_path / "whole.mp4", seconds=0.5).read_bytes()
    at = video.index(b"stsz") - 4
    for size in (0, 1, 7, 9, 0x7FFFFFFF, 0xFFFFFFFF):
        (tmp_path / "a.mp4").write_bytes(video[:at] + size.to_bytes(4, "big") + video[at + 4 :])
        with suppress(InvalidInputError):
            check_file_claims(tmp_path / "a.mp4")


def test_boxes_in_boxes_are_followed_so_deep_and_no_deeper(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bombs()["nesting"])

    check_file_claims(tmp_path / "a.mp4")
    (tmp_path / "a.mp4").write_bytes(box(b"ftyp", b"isom") + box(b"moov", box(b"udta", mp4(Claim(99))[20:])))
    assert claimed(tmp_path / "a.mp4") == 99


def stream(kind: str, **values: object) -> SimpleNamespace:
    return SimpleNamespace(type=kind, codec_context=SimpleNamespace(**values))


def test_a_track_that_claims_too_much_is_refused_before_a_decoder_is_opened() -> None:
    picture, layout = {"width": 1280, "height": 720}, SimpleNamespace(nb_channels=2)
    fine = [stream("video", **picture), stream("audio", sample_rate=48_000, layout=layout)]
    check_track_claims([*fine, SimpleNamespace(type="data", codec_context=None)])
    for odd, words in (
        ([stream("video", width=9_000, height=9_000)], "pixels"),
        ([stream("video", width=17_000, height=2)], "side"),
        ([stream("audio", sample_rate=1_000_000, layout=layout)], "sampling rate"),
        ([stream("audio", sample_rate=48_000, layout=SimpleNamespace(nb_channels=65))], "channels"),
        (fine * 40, "tracks"),
    ):
        with pytest.raises(InvalidInputError, match=words) as caught:
            check_track_claims(odd)
        assert caught.value.reason == "MEDIA_TOO_COMPLEX"
