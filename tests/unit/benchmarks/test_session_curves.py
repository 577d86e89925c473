"""What the curves of the session's benchmark make of what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.session.arms import ArmError, Measured, RunningArm
from benchmarks.session.curves import Point, Size, figures_of, shape, sizes, take


def point(curve: str, at: float, interview_s: float, cpu_s: float, **rest: Any) -> Point:
    return Point(curve, at, interview_s, Measured(cpu_s / 2, {}, {"vision": cpu_s}, **rest))


def test_a_curve_is_told_as_its_last_point_over_its_first_for_a_minute_of_interview() -> None:
    figures = figures_of(
        [point("minutes", 1, 60, 10), point("minutes", 5, 300, 60), point("minutes", 20, 1200, 300)]
    )

    assert figures["minutes_cpu_per_minute_ratio"] == pytest.approx(1.5)
    assert figures["minutes_wall_per_minute_ratio"] == pytest.approx(1.5)


def test_the_largest_process_may_be_a_child() -> None:
    one = point(
        "minutes",
        1,
        60,
        10,
        peak_rss_mib={"vision": 200.0},
        child_peak_rss_mib={"vision": 0.0, "orchestrator": 300.0},
    )

    assert one.largest == ("orchestrator's child", 300.0)


def test_every_size_that_the_documents_name_is_taken() -> None:
    taken = {
        curve: [size.at for size in sizes() if size.curve == curve]
        for curve in ("answers", "minutes", "callers")
    }

    assert taken == {"answers": [1, 2, 5], "minutes": [1, 5, 20], "callers": [1, 2, 4]}


def test_four_callers_bring_four_times_the_interview() -> None:
    assert Size("callers", 4, 60, caller_count=4).interview_s == 4 * Size("callers", 1, 60).interview_s


@pytest.mark.parametrize(("values", "drawn"), [([1, 1, 1], "███"), ([0, 4, 8], "▁▅█"), ([0, 0], "▁▁")])
def test_a_shape_is_drawn_from_zero(values: list[float], drawn: str) -> None:
    assert shape(values) == drawn


class OneArm(RunningArm):
    def __init__(self) -> None:
        super().__init__(None, {}, None)  # type: ignore[arg-type]
        self.asked: list[Mapping[str, Any]] = []

    def ask(self, **order: Any) -> dict[str, Any]:
        self.asked.append(order)
        if order.get("callers") == 99:
            raise ArmError("refused")
        return {"wall_s": 1.0, "stage_wall_s": {}}


def test_callers_at_once_are_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERVIEW_RECORDINGS_DIR", str(tmp_path / "none"))
    arm = OneArm()

    take(arm, Size("callers", 2, 1.0, caller_count=2), tmp_path)
    take(arm, Size("answers", 2, 1.0, answer_count=2), tmp_path)

    assert [order.get("callers") for order in arm.asked] == [2, None]
    assert len(list((tmp_path / "answers-2").glob("answer-*.mp4"))) == 2
