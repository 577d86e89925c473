"""Counting faces: the second look, overlapping boxes, and which meshes are believed."""

from __future__ import annotations

import numpy as np
import pytest

from services.vision.faces import FaceBox, FaceCounter, Look, suppress_overlapping
from services.vision.frames import Frame, RgbImage
from services.vision.observations import face_flags, find_no_face, find_second_face, find_too_small
from services.vision.samples import SampleLog, Samples
from services.vision.stretches import sample_ends_s
from tests.fakes.vision import Pose, make_mesh

WHOLE, PART = (720, 1280), (360, 640)
SURE = Look(0, 1, 0.0, wide_unsure=False)
NOTHING = Look(0, 0, 0.0, wide_unsure=False)
UNSURE = Look(0, 0, 0.0, wide_unsure=True)
SMALL = Look(0, 0, 0.02, wide_unsure=False)
TWO = Look(0, 2, 0.0, wide_unsure=False)


class ScriptedDetector:
    """Finds these boxes in the whole picture, and those in a part of it."""

    def __init__(self, whole: list[FaceBox], part: list[FaceBox] | None = None) -> None:
        self._found = {WHOLE: whole, PART: part or []}
        self.part_count = 0

    def find(self, image: RgbImage) -> list[FaceBox]:
        self.part_count += image.shape[:2] == PART
        return self._found[(image.shape[0], image.shape[1])]

    def close(self) -> None: ...


def box(left: float, width: float, score: float, top: float = 100.0) -> FaceBox:
    return FaceBox(left, top, width, width, score)


def count(detector: ScriptedDetector) -> Look:
    return FaceCounter(detector).look(np.zeros((*WHOLE, 3), np.uint8), 0)


def test_a_face_of_ordinary_size_needs_no_second_look() -> None:
    detector = ScriptedDetector([box(500, 200, 0.9)])

    assert count(detector).face_count == 1
    assert detector.part_count == 0


def test_a_small_face_is_found_by_the_second_look() -> None:
    look = count(ScriptedDetector([box(600, 50, 0.4)], [box(250, 50, 0.9)]))

    assert look.face_count == 1


def test_a_small_box_counts_only_when_the_second_look_agrees() -> None:
    look = count(ScriptedDetector([box(600, 50, 0.75)], [box(250, 40, 0.4)]))

    assert look.face_count == 0
    assert look.small_width_ratio == pytest.approx(50 / 1280)


def test_something_of_ordinary_size_that_stays_unsure_is_no_small_face() -> None:
    look = count(ScriptedDetector([box(500, 200, 0.5)]))

    assert (look.face_count, look.small_width_ratio, look.wide_unsure) == (0, 0.0, True)


def test_overlapping_boxes_are_one_face_and_the_best_stays() -> None:
    kept = suppress_overlapping([box(500, 200, 0.7), box(520, 210, 0.9), box(510, 60, 0.8)])

    assert kept == [box(520, 210, 0.9)]


def test_two_boxes_apart_are_two_faces() -> None:
    assert count(ScriptedDetector([box(100, 200, 0.9), box(700, 200, 0.8)])).face_count == 2


def samples(meshes: list[bool], looks: dict[int, Look]) -> Samples:
    """Ten samples a second; `looks` by sample."""
    log = SampleLog()
    image = np.zeros((*WHOLE, 3), np.uint8)
    for index, mesh in enumerate(meshes):
        look = looks.get(index)
        frame = Frame(index / 10, image, None)
        log.add(frame, make_mesh(Pose()) if mesh else None, look and look._replace(sample=index))
    return log.samples()


def seen(found: Samples) -> list[bool]:
    ends_s = sample_ends_s(found.time_s, len(found.time_s) / 10)
    flags: list[bool] = face_flags(found, ends_s).seen.tolist()
    return flags


def test_a_mesh_that_the_detector_bears_out_is_believed() -> None:
    assert seen(samples([True] * 20, {0: SURE, 10: UNSURE})) == [True] * 20


def test_a_mesh_of_a_moment_that_no_look_bears_out_is_not_believed() -> None:
    meshes = [False] * 5 + [True] + [False] * 5

    assert not any(seen(samples(meshes, {0: NOTHING, 5: UNSURE, 6: NOTHING})))


def test_a_mesh_that_lasts_is_believed_though_the_detector_is_never_sure() -> None:
    assert all(seen(samples([True] * 20, {0: UNSURE, 10: UNSURE})))


def test_a_mesh_between_two_empty_looks_is_taken_out() -> None:
    found = seen(samples([True] * 40, {0: SURE, 10: NOTHING, 20: NOTHING, 30: SURE}))

    assert found == [True] * 10 + [False] * 10 + [True] * 20


def test_a_sure_face_without_a_mesh_needs_two_looks() -> None:
    assert not any(seen(samples([False] * 30, {0: NOTHING, 10: SURE, 20: NOTHING})))
    assert seen(samples([False] * 30, {0: NOTHING, 10: SURE, 20: SURE})) == [False] * 10 + [True] * 20


def test_nobody_for_a_second_is_reported_and_for_less_is_not() -> None:
    looks = {0: SURE, 10: NOTHING, 21: SURE, 25: NOTHING, 30: SURE}
    found = samples([True] * 10 + [False] * 11 + [True] * 4 + [False] * 5 + [True] * 10, looks)
    ends_s = sample_ends_s(found.time_s, 4.0)

    events = find_no_face(found, face_flags(found, ends_s), ends_s, 1.0)

    assert [event.start_s for event in events] == [1.0]
    assert [event.end_s for event in events] == pytest.approx([2.1])
    assert events[0].value == pytest.approx(1.1)


def test_what_stays_small_and_unsure_is_too_small_and_not_nobody() -> None:
    found = samples([False] * 30, {0: SMALL, 10: SMALL, 20: SMALL})
    ends_s = sample_ends_s(found.time_s, 3.0)
    flags = face_flags(found, ends_s)

    assert find_no_face(found, flags, ends_s, 1.0) == []
    events = find_too_small(found, flags, ends_s)
    assert [(event.start_s, event.end_s, event.value) for event in events] == [(0.0, 3.0, 0.02)]


def test_something_small_in_one_look_alone_is_nobody() -> None:
    found = samples([False] * 30, {0: NOTHING, 10: SMALL, 20: NOTHING})
    ends_s = sample_ends_s(found.time_s, 3.0)
    flags = face_flags(found, ends_s)

    assert find_too_small(found, flags, ends_s) == []
    assert len(find_no_face(found, flags, ends_s, 1.0)) == 1


def test_a_second_face_in_two_looks_is_reported_and_in_one_is_not() -> None:
    looks = {0: SURE, 10: TWO, 20: SURE, 30: TWO, 40: TWO, 50: SURE}
    found = samples([True] * 60, looks)

    events = find_second_face(found, sample_ends_s(found.time_s, 6.0))

    assert [(event.start_s, event.end_s, event.value) for event in events] == [(3.0, 5.0, 2.0)]


def test_two_looks_a_moment_apart_prove_no_second_face() -> None:
    found = samples([True] * 30, {0: SURE, 10: TWO, 11: TWO, 12: SURE, 20: SURE})

    assert find_second_face(found, sample_ends_s(found.time_s, 3.0)) == []


def test_a_second_face_to_the_end_ends_there() -> None:
    found = samples([True] * 30, {0: SURE, 10: TWO, 20: TWO})

    events = find_second_face(found, sample_ends_s(found.time_s, 3.0))

    assert [(event.start_s, event.end_s) for event in events] == [(1.0, 3.0)]
