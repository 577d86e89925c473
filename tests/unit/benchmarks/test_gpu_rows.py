"""What callers reach together is counted while all are at work, and told with what was not measured."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Barrier, Event

import pytest

from benchmarks.gpu.budget import Measured
from benchmarks.gpu.callers import Call, call_for, real_time_ratio, texts_of
from benchmarks.gpu.gpu_memory import MostSeen, watched
from benchmarks.gpu.measure import CPU_PLAN, gpu_plan, report
from benchmarks.gpu.recordings import Recording
from benchmarks.gpu.rows import GPU_BATCH_SIZE, SERVICE_NUMBERS, Row, Setting, figures, table, verdicts
from services.transcriber.whisper import GPU_BATCH_SIZE as SERVICE_BATCH_SIZE


def recording(name: str, duration_s: float = 10.0) -> Recording:
    return Recording(Path(name), duration_s, "en")


def row(real_time: float, unchanged: float | None = 1.0, memory_mib: float | None = 800.0) -> Row:
    return Row(real_time, memory_mib, unchanged, 3)


def test_a_call_that_outlasts_the_window_counts_by_its_share() -> None:
    calls = [
        Call(recording("a"), "", 0.0, 4.0),
        Call(recording("b"), "", 4.0, 8.0),
        Call(recording("c"), "", 6.0, 12.0),
    ]

    assert real_time_ratio(calls, 10.0) == pytest.approx((10 + 10 + 10 * 4 / 6) / 10)


def test_callers_work_at_once_and_take_the_recordings_in_turn() -> None:
    both, over = Barrier(2), Event()

    def transcribe(one: Recording, _: Event) -> str:
        both.wait(20)  # fails unless two are under way at once
        over.set()
        return f"said in {one.path}"

    recordings = [recording("a"), recording("b")]
    calls = call_for(0.5, 2, recordings, transcribe, Event(), clock=lambda: float(over.is_set()))

    assert texts_of(calls) == {"a": "said in a", "b": "said in b"}


def test_each_caller_has_a_recording_however_short_the_window() -> None:
    calls = call_for(0.0, 3, [recording("a")], lambda one, _: str(one.path), Event())

    assert len(calls) == 3


def test_the_table_has_a_row_a_setting_and_says_what_nothing_told() -> None:
    rows = {
        Setting("float16", 16, 16): row(120.0, 0.995),
        Setting("float16", 16, 1): row(30.0, 1.0),
        Setting("float16", 2, 16): row(60.0, None, None),
    }

    lines = table(rows).splitlines()

    assert lines[1] == "|---|---|---|---|---|---|---|"
    assert lines[2:] == [
        "| float16 | 2 | 16 | 60.0 | – | – | – |",
        "| float16 | 16 | 1 | 30.0 | 1.00 | 800 | 100.0% |",
        "| float16 | 16 | 16 | 120.0 | 4.00 | 800 | 99.5% |",
    ]


def test_the_figures_are_those_of_the_service_as_it_comes() -> None:
    rows = {
        Setting(SERVICE_NUMBERS, GPU_BATCH_SIZE, 16): row(120.0, 0.97),
        Setting(SERVICE_NUMBERS, GPU_BATCH_SIZE, 1): row(25.0),
        Setting("int8_float16", GPU_BATCH_SIZE, 16): row(999.0),
    }

    found = figures(rows, SERVICE_NUMBERS, GPU_BATCH_SIZE, 16)

    assert [(figure.name, figure.value, figure.holds) for figure in found] == [
        ("callers_16_over_1", 4.8, True),
        ("real_time_over_base", 120.0, True),
        ("words_unchanged", 0.97, False),
    ]
    assert GPU_BATCH_SIZE == SERVICE_BATCH_SIZE
    assert verdicts(found).splitlines()[2] == "words_unchanged (≥ 0.98): 0.97, does not hold"


def test_what_was_not_measured_is_null_and_named() -> None:
    measured: Measured[Row] = Measured(left_out=["int8_float16, batches of 2, 16 callers"])
    measured.failed["float16, batches of 16, 1 caller"] = "RuntimeError: out of memory"
    rows = {Setting(SERVICE_NUMBERS, GPU_BATCH_SIZE, 16): row(50.0)}

    text = report("cuda", rows, measured, 100.0)

    line = json.loads(text.splitlines()[-1])
    assert line["callers_16_over_1"] is None
    assert line["real_time_over_base"] == 50.0
    assert line["left_out"] == ["int8_float16, batches of 2, 16 callers"]
    assert "callers_16_over_1 (≥ 4): not measured" in text
    assert "Failed: float16, batches of 16, 1 caller: RuntimeError: out of memory" in text


def test_the_plan_begins_with_what_has_targets_and_has_each_setting_once() -> None:
    plan = gpu_plan()

    assert plan[:2] == [Setting("float16", 16, 16), Setting("float16", 16, 1)]
    assert len(set(plan)) == len(plan)
    for numbers in ("float16", "int8_float16"):
        mine = [setting for setting in plan if setting.compute_type == numbers]
        assert {s.batch_size for s in mine if s.caller_count == 16} == {1, 2, 4, 8, 16, 32}
        assert {s.caller_count for s in mine if s.batch_size == 16} == {1, 2, 4, 8, 16}
    assert all(setting.compute_type == "int8" for setting in CPU_PLAN)


def test_the_most_memory_that_was_told_is_kept_and_other_lines_say_nothing() -> None:
    most = MostSeen()
    for line in ("512", "[N/A]", "2048", "700", ""):
        most.see(line)

    assert most.mib == 2048
    with watched(["no-such-command-anywhere"]) as nothing:
        pass
    assert nothing.mib is None
