"""What the benchmark of whole sessions makes of what was measured: ratios, tables, a run that goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from benchmarks.session.arms import BEFORE, EQUAL, MONOLITH, OURS, ArmError, Measured, RunningArm, measured_of
from benchmarks.session.counting_proxy import Call
from benchmarks.session.keeping import Kept
from benchmarks.session.measure import Run, parsed, with_picture_of
from benchmarks.session.one_shot import AssessFigures, assess_figures
from benchmarks.session.recordings import DEMO, LONG, Session
from benchmarks.session.report import NOT_MEASURED, Results, figures_of, print_tables
from benchmarks.session.targets import TARGETS, Target
from tests.fakes.assessor import FakeChatServer

DEMO_SESSION = Session(DEMO, Path("demo"), 2, 50.0, "clips")
LONG_SESSION = Session(LONG, Path("long"), 3, 900.0, "recordings")


def measured(wall_s: float, cpu_s: Mapping[str, float] | None = None, **rest: Any) -> Measured:
    return Measured(wall_s, {"vision": 4.0, "transcribe": 2.0}, cpu_s or {"vision": wall_s / 2}, **rest)


def results(**walls_s: float) -> Results:
    names = {"ours": OURS, "before": BEFORE, "monolith": MONOLITH, "equal": EQUAL}
    plain = {(names[arm], LONG): measured(wall_s) for arm, wall_s in walls_s.items()}
    return Results([DEMO_SESSION, LONG_SESSION], plain)


def printed(found: Results) -> str:
    out = Console(width=170, record=True, quiet=True)
    out.quiet = False
    with out.capture() as captured:
        print_tables(out, found, figures_of(found))
    return captured.get()


def test_ratios_are_theirs_over_ours_on_the_long_session() -> None:
    figures = figures_of(results(ours=10, before=15, monolith=30, equal=60))

    assert figures["over_monolith"] == 3.0
    assert figures["over_monolith_equal_coverage"] == 6.0
    assert figures["over_before"] == 1.5
    assert figures["cpu_ratio_to_before"] == pytest.approx(2 / 3, abs=0.001)
    assert figures["cpu_s_per_interview_minute"] == pytest.approx(5 / 15, abs=0.001)
    assert figures["real_time_factor"] == pytest.approx(10 / 900, abs=0.001)


def test_without_the_long_session_the_demos_stands_for_it() -> None:
    plain = {(OURS, DEMO): measured(10), (MONOLITH, DEMO): measured(40)}

    assert figures_of(Results([DEMO_SESSION], plain))["over_monolith"] == 4.0


def test_what_was_not_measured_has_no_figure_and_is_said() -> None:
    found = results(ours=10)
    found.missing[BEFORE] = "Its history is not here."

    figures, said = figures_of(found), printed(found)

    assert figures["over_monolith"] is figures["over_before_llm"] is figures["assess_over_one_shot"] is None
    assert f"{BEFORE}: {NOT_MEASURED}. Its history is not here." in said
    assert all(target.figure in said for target in TARGETS)


def test_the_language_models_figures_are_an_answers() -> None:
    found = results(ours=10)
    calls = (Call("assessor", 4.0, 300, 60, 3.0), Call("translator", 2.0, 100, 140, 1.0))
    found.llm = {OURS: measured(20, calls=calls), BEFORE: measured(70)}
    found.assess = {OURS: AssessFigures(6.0, 2.0, 4, 40, 900, 300, 22.0)}

    figures = figures_of(found)

    assert (figures["over_before_llm"], figures["assess_over_one_shot"]) == (3.5, 3.0)
    assert (figures["tokens_read_per_answer"], figures["tokens_written_per_answer"]) == (200, 100)
    assert (figures["model_calls_per_answer"], figures["model_s_per_answer"]) == (1, 2)
    assert "assessor 1, 300, 3.0; translator 1, 100, 1.0" in printed(found)


def test_a_note_stands_in_the_line() -> None:
    assert figures_of(results(), "beside other work")["note"] == "beside other work"
    assert "note" not in figures_of(results())


@pytest.mark.parametrize(
    ("value", "at_least", "holds"),
    [(2.0, True, True), (1.99, True, False), (2.0, False, True), (2.01, False, False), (None, True, None)],
)
def test_a_bound_holds_at_its_own_value(value: float | None, at_least: bool, holds: bool | None) -> None:
    assert Target("figure", 2.0, at_least).holds({"figure": value}) is holds


def test_another_look_at_the_picture_takes_the_place_of_the_monoliths_own() -> None:
    whole = measured(10, {"vision": 4.0, "transcribe": 6.0}, peak_rss_mib={MONOLITH: 700}, tree_pss_mib=500)
    looked = Measured(9.0, {"vision": 9.0}, {"vision": 9.0}, {MONOLITH: 800}, tree_pss_mib=450)

    found = with_picture_of(whole, looked, 7.4)

    assert found.wall_s == 10 - 4 + 9
    assert found.cpu_s == {"vision": 9.0, "transcribe": 6.0}
    assert found.stage_wall_s == {"vision": 9.0, "transcribe": 2.0}
    assert (found.peak_rss_mib, found.tree_pss_mib, found.looks_per_s) == ({MONOLITH: 800}, 500, 7.4)


def test_a_kept_measurement_comes_back_as_it_was() -> None:
    once = measured(20, calls=(Call("assessor", 4.0, 300, 60, 3.0),), looks_per_s=2.0, words=7)

    assert measured_of(json.loads(json.dumps(once.as_json()))) == once


def test_a_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    path, taken = tmp_path / "kept.json", []

    def take(value: int) -> dict[str, int]:
        taken.append(value)
        return {"value": value}

    first = Kept(path).once("ours/demo", lambda: take(1))
    second = Kept(path)

    assert "ours/demo" in second
    assert second.once("ours/demo", lambda: take(2)) == first == {"value": 1}
    assert second.once("before/demo", lambda: take(3)) == {"value": 3}
    assert taken == [1, 3]
    assert [item.name for item in tmp_path.iterdir()] == ["kept.json"]


def test_what_failed_is_not_kept(tmp_path: Path) -> None:
    def fail() -> dict[str, int]:
        raise ArmError("its process ended")

    kept = Kept(tmp_path / "kept.json")
    with pytest.raises(ArmError):
        kept.once("ours/demo", fail)

    assert "ours/demo" not in Kept(tmp_path / "kept.json")


def test_a_run_over_kept_measurements_starts_nothing(tmp_path: Path) -> None:
    kept = {f"{arm}/long-3x300s": measured(wall_s).as_json() for arm, wall_s in ((OURS, 10), (MONOLITH, 30))}
    path = tmp_path / "kept.json"
    path.write_text(json.dumps(kept))
    options = parsed(["--arms", "ours", "monolith", "before", "--keep", str(path), "--without-llm"])

    run = Run(options, [LONG_SESSION], None)
    run.plain()

    assert figures_of(run.results)["over_monolith"] == 3.0
    assert list(run.results.missing) == [BEFORE]


class FakeArm:
    """Says that each assessment took so long, and lets one-shot prompts meet a stand-in for the model."""

    def __init__(self, proxy_url: str) -> None:
        self.proxy_url = proxy_url
        self.assessed: list[int] = []

    def ask(self, **order: Any) -> dict[str, Any]:
        self.assessed.append(len(order["assess"]))
        return {"walls_s": [float(number) for number, _ in enumerate(order["assess"], start=1)]}

    def calls(self) -> list[Call]:
        return [Call("assessor", 1.0, 50, 10, 0.5)] * 3


def test_the_first_answer_warms_the_server_and_the_others_are_counted() -> None:
    with FakeChatServer().running() as server:
        arm = FakeArm(server.url.removesuffix("/v1"))
        figures = assess_figures(cast("RunningArm", arm), 4)

    assert arm.assessed == [1, 4]
    assert (figures.assess_s, figures.answer_count) == (2.5, 4)
    assert (figures.calls, figures.tokens_read, figures.tokens_written, figures.model_s) == (3, 150, 30, 1.5)
    assert server.paths == ["/one-shot/v1/chat/completions"] * 5
